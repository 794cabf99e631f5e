"""What the chat says, as stanzas for a room (pure).

Whoever does not know an extension reads a body that says the same.
"""

from collections.abc import Mapping, Sequence, Set
from xml.etree.ElementTree import Element, SubElement

from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.styling import to_styling

_EXCERPT_LIMIT = 100


class Composer:
    """Writes stanzas of one connection.

    Args:
        namespace: That of its stanzas: a client's or a component's.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    # Coming and going

    def join(self, sender: str, to: str, password: str, since: str) -> Element:
        """Enters a room (XEP-0045 §7.2).

        Args:
            sender: Who; empty: the account itself.
            to: The room and a nick in it.
            password: Of the room; empty: none.
            since: From when on what was said is told again; empty: nothing is.
        """
        presence = self._stanza("presence", sender, to)
        muc = SubElement(presence, f"{{{ns.MUC}}}x")
        history = {"since": since} if since else {"maxstanzas": "0"}
        SubElement(muc, f"{{{ns.MUC}}}history", history)
        if password:
            SubElement(muc, f"{{{ns.MUC}}}password").text = password
        return presence

    def leave(self, sender: str, to: str) -> Element:
        """Leaves a room."""
        presence = self._stanza("presence", sender, to)
        presence.set("type", "unavailable")
        return presence

    # Messages

    def say(
        self,
        sender: str,
        room: str,
        id: str,  # noqa: A002
        bodies: Mapping[str, str],
        *,
        replaces: str = "",
    ) -> Element:
        """Says something.

        Args:
            sender: Who; empty: the account itself.
            room: Where.
            id: What the message is called.
            bodies: What, by language, the original first: the others are marked as translations.
            replaces: The id of a message of the same sender's in whose place it is (XEP-0308).
        """
        message = self._message(sender, room, id)
        original = next(iter(bodies))
        if original:
            message.set(ns.LANG, original)
        self._bodies(message, bodies)
        translations = [lang for lang in bodies if lang != original]
        if translations:
            marked = SubElement(message, f"{{{ns.LANGTRANS}}}x")
            for lang in translations:
                _translation(marked, original, lang)
        if replaces:
            SubElement(message, f"{{{ns.CORRECT}}}replace", {"id": replaces})
        return message

    def answers(self, message: Element, to: str, id: str, quoted: str) -> None:  # noqa: A002
        """Lets a message answer another (XEP-0461): its bodies repeat what that one said.

        Args:
            message: The message.
            to: Room and nick of who said the other one; empty: they are not known.
            id: The room's id of the other one; empty: it is not known.
            quoted: What the other one said, and who.
        """
        before = "".join(f"> {line}\n" for line in quoted[:_EXCERPT_LIMIT].splitlines())
        for body in message.iterfind(f"{{{self._namespace}}}body"):
            body.text = before + (body.text or "")
        if not id:
            return
        SubElement(message, f"{{{ns.REPLY}}}reply", {"id": id, **({"to": to} if to else {})})
        fallback = SubElement(message, f"{{{ns.FALLBACK}}}fallback", {"for": ns.REPLY})
        range_ = {"start": "0", "end": str(len(before))}
        SubElement(fallback, f"{{{ns.FALLBACK}}}body", range_)

    def retract(self, sender: str, room: str, id: str, target: str) -> Element:  # noqa: A002
        """Takes a message back (XEP-0424)."""
        message = self._message(sender, room, id)
        SubElement(message, f"{{{ns.RETRACT}}}retract", {"id": target})
        self._hint(message, ns.RETRACT, "(a message was taken back)")
        return message

    def react(
        self,
        sender: str,
        room: str,
        id: str,  # noqa: A002
        target: str,
        emojis: Sequence[str],
    ) -> Element:
        """Reacts to a message with all of these, and no others (XEP-0444)."""
        message = self._message(sender, room, id)
        reactions = SubElement(message, f"{{{ns.REACTIONS}}}reactions", {"id": target})
        for emoji in emojis:
            SubElement(reactions, f"{{{ns.REACTIONS}}}reaction").text = emoji
        SubElement(message, f"{{{ns.HINTS}}}store")
        return message

    def topic(self, sender: str, room: str, id: str, topic: str) -> Element:  # noqa: A002
        """Says what a room is about."""
        message = self._message(sender, room, id)
        SubElement(message, f"{{{self._namespace}}}subject").text = topic
        return message

    def whisper(
        self, sender: str, to: str, bodies: Mapping[str, str], translated: Set[str] = frozenset()
    ) -> Element:
        """Says something to one occupant of a room (XEP-0045 §7.5).

        Args:
            sender: Who; empty: the account itself.
            to: The room and their nick in it.
            bodies: What, by language.
            translated: Which of these are translations, by a machine (XEP-0171).
        """
        message = self._stanza("message", sender, to)
        message.set("type", "chat")
        self._bodies(message, {lang: to_styling(text) for lang, text in bodies.items()})
        SubElement(message, f"{{{ns.MUC_USER}}}x")
        if translated:
            source = next((lang for lang in bodies if lang not in translated), "")
            marked = SubElement(message, f"{{{ns.LANGTRANS}}}x")
            for lang in sorted(translated):
                _translation(marked, source, lang)
        return message

    def _bodies(self, message: Element, bodies: Mapping[str, str]) -> None:
        for lang, text in bodies.items():
            body = SubElement(
                message, f"{{{self._namespace}}}body", {ns.LANG: lang} if lang else {}
            )
            body.text = text

    def _hint(self, message: Element, extension: str, text: str) -> None:
        SubElement(message, f"{{{self._namespace}}}body").text = text
        SubElement(message, f"{{{ns.FALLBACK}}}fallback", {"for": extension})
        SubElement(message, f"{{{ns.HINTS}}}store")

    def _message(self, sender: str, room: str, id: str) -> Element:  # noqa: A002
        message = self._stanza("message", sender, room)
        message.set("type", "groupchat")
        message.set("id", id)
        SubElement(message, f"{{{ns.STANZA_ID}}}origin-id", {"id": id})
        return message

    def _stanza(self, name: str, sender: str, to: str) -> Element:
        addresses = {"from": sender, "to": to} if sender else {"to": to}
        return Element(f"{{{self._namespace}}}{name}", addresses)


def _translation(marked: Element, source: str, destination: str) -> None:
    # XEP-0171: an engine without a name is a machine nobody names; without one, it was a person.
    attributes = {"destination_lang": destination, "engine": ""}
    if source:
        attributes["source_lang"] = source
    SubElement(marked, f"{{{ns.LANGTRANS}}}translation", attributes)
