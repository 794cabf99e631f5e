"""Namespaces that rooms and messages are spelled in (pure)."""

from xml.etree.ElementTree import Element

MUC = "http://jabber.org/protocol/muc"
MUC_USER = MUC + "#user"
MUC_OWNER = MUC + "#owner"
MUC_ADMIN = MUC + "#admin"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
DISCO = "http://jabber.org/protocol/disco#info"
FORM = "jabber:x:data"
RSM = "http://jabber.org/protocol/rsm"
MAM = "urn:xmpp:mam:2"
FORWARD = "urn:xmpp:forward:0"
DELAY = "urn:xmpp:delay"
PING = "urn:xmpp:ping"
STANZA_ID = "urn:xmpp:sid:0"
OCCUPANT_ID = "urn:xmpp:occupant-id:0"
CORRECT = "urn:xmpp:message-correct:0"
REPLY = "urn:xmpp:reply:0"
REACTIONS = "urn:xmpp:reactions:0"
RETRACT = "urn:xmpp:message-retract:1"
MODERATES = ("urn:xmpp:message-moderate:1", "urn:xmpp:message-moderate:0")
RETRACTS = (RETRACT, "urn:xmpp:message-retract:0")
FASTEN = "urn:xmpp:fasten:0"
FALLBACK = "urn:xmpp:fallback:0"
HINTS = "urn:xmpp:hints"
STYLING = "urn:xmpp:styling:0"
LANGTRANS = "urn:xmpp:langtrans"


def namespace_of(element: Element) -> str:
    """In which namespace an element is."""
    return element.tag.removeprefix("{").partition("}")[0]
