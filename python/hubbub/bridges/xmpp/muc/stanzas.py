"""What stanzas of a room say, whichever of a dozen extensions they say it in (pure).

Reads elements as slixmpp hands them out; knows nothing of who is there (see `room`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element

from hubbub.bridges.xmpp.muc import names as ns

CODES_LIMIT = 20
_REACTIONS_LIMIT = 20
_BODIES_LIMIT = 20


@dataclass(frozen=True)
class Message:
    """A message, in a room or from somebody in it.

    Attributes:
        sender: Room and nick.
        id: What its sender calls it.
        stanza_id: What its room calls it.
        occupant: The stable id of who said it, as the room claims.
        bodies: What it says, by language; "" where none is given.
        translated: The languages of `bodies` that are translations (XEP-0171).
        lang: The language of the whole.
        subject: The room is about this from now on.
        replaces: The sender's id of the message in whose place this one is (XEP-0308).
        replies_to: The id of what it answers (XEP-0461).
        reacts_to: The id of what its reactions are to (XEP-0444), all of them.
        retracts: The id of what is taken back (XEP-0424), or away (XEP-0425).
        is_moderated: Whether a moderator has taken it away, as it claims.
        quoted: The range of the body that repeats what is answered (XEP-0428).
        is_fallback: Its whole body only speaks to those who do not know the extension.
        is_styled: Whether signs in the body mean anything (XEP-0393).
        said_at: When, if it is no news (XEP-0203).
        error: Why it was refused: it is our own.
    """

    sender: str
    type: str = "groupchat"
    id: str = ""
    stanza_id: str = ""
    occupant: str = ""
    bodies: dict[str, str] = field(default_factory=dict[str, str])
    translated: frozenset[str] = frozenset()
    lang: str = ""
    subject: str | None = None
    replaces: str = ""
    replies_to: str = ""
    reacts_to: str = ""
    reactions: tuple[str, ...] = ()
    retracts: str = ""
    is_moderated: bool = False
    quoted: tuple[int, int] = (0, 0)
    is_fallback: bool = False
    is_styled: bool = True
    said_at: datetime | None = None
    error: str = ""

    def body(self) -> tuple[str, str]:
        """What was said, without translations and without what it answers; and its language."""
        originals = [lang for lang in self.bodies if lang not in self.translated]
        chosen = self.lang if self.lang in originals else next(iter(originals), "")
        text = self.bodies.get(chosen, "")
        start, end = self.quoted
        if 0 <= start < end <= len(text):
            text = text[:start] + text[end:]
        return text, chosen or self.lang


@dataclass(frozen=True)
class Presence:
    """Somebody in a room comes, changes or goes, or we could not come in."""

    sender: str
    type: str = ""
    codes: frozenset[int] = frozenset()
    jid: str = ""
    role: str = ""
    nick: str = ""
    occupant: str = ""
    actor: str = ""
    reason: str = ""
    error: str = ""


def read_message(element: Element) -> Message:
    """Reads a message."""
    here = ns.namespace_of(element)
    room = element.get("from", "").partition("/")[0]
    bodies: dict[str, str] = {}
    subject: str | None = None
    for child in element:
        if child.tag == f"{{{here}}}body" and len(bodies) < _BODIES_LIMIT:
            bodies.setdefault(child.get(ns.LANG, ""), child.text or "")
        elif child.tag == f"{{{here}}}subject" and subject is None:
            subject = child.text or ""
    lang = element.get(ns.LANG, "")
    if lang and "" in bodies:
        # A body without a language has its message's.
        bodies.setdefault(lang, bodies.pop(""))
    reactions = element.find(f"{{{ns.REACTIONS}}}reactions")
    error = element.find(f"{{{here}}}error") if element.get("type") == "error" else None
    return Message(
        element.get("from", ""),
        element.get("type", "normal"),
        element.get("id", ""),
        next(_stanza_ids(element, room), ""),
        _attribute(element, f"{{{ns.OCCUPANT_ID}}}occupant-id", "id"),
        bodies,
        frozenset(
            one.get("destination_lang", "")
            for one in element.iterfind(f"{{{ns.LANGTRANS}}}x/{{{ns.LANGTRANS}}}translation")
        ),
        lang,
        # With a body, it is a message that has a subject (XEP-0045 §8.1).
        subject if not bodies and element.find(f"{{{here}}}thread") is None else None,
        _attribute(element, f"{{{ns.CORRECT}}}replace", "id"),
        _attribute(element, f"{{{ns.REPLY}}}reply", "id"),
        reactions.get("id", "") if reactions is not None else "",
        tuple(_reactions(reactions)),
        _retracted(element),
        any(element.find(f".//{{{one}}}moderated") is not None for one in ns.MODERATES),
        _quoted(element),
        _is_fallback(element),
        element.find(f"{{{ns.STYLING}}}unstyled") is None,
        _said_at(element),
        condition_of(error, ns.STANZAS) if error is not None else "",
    )


def read_presence(element: Element) -> Presence:
    """Reads a presence."""
    here = ns.namespace_of(element)
    user = element.find(f"{{{ns.MUC_USER}}}x")
    item = user.find(f"{{{ns.MUC_USER}}}item") if user is not None else None
    codes = user.findall(f"{{{ns.MUC_USER}}}status") if user is not None else []
    error = element.find(f"{{{here}}}error")
    actor = item.find(f"{{{ns.MUC_USER}}}actor") if item is not None else None
    reason = item.findtext(f"{{{ns.MUC_USER}}}reason", "") if item is not None else ""
    return Presence(
        element.get("from", ""),
        element.get("type", ""),
        frozenset(int(one.get("code", "")) for one in codes[:CODES_LIMIT] if _is_code(one)),
        item.get("jid", "") if item is not None else "",
        item.get("role", "") if item is not None else "",
        item.get("nick", "") if item is not None else "",
        _attribute(element, f"{{{ns.OCCUPANT_ID}}}occupant-id", "id"),
        (actor.get("nick", "") or actor.get("jid", "")) if actor is not None else "",
        reason or element.findtext(f"{{{here}}}status", ""),
        condition_of(error, ns.STANZAS) if error is not None else "",
    )


def condition_of(error: Element, namespace: str) -> str:
    """The condition of an error."""
    for child in error:
        found, _, name = child.tag.removeprefix("{").rpartition("}")
        if found == namespace and name != "text":
            return name
    return "undefined-condition"


def _is_code(status: Element) -> bool:
    code = status.get("code", "")
    return code.isascii() and code.isdigit() and len(code) <= 3


def _attribute(element: Element, tag: str, name: str) -> str:
    found = element.find(tag)
    return found.get(name, "") if found is not None else ""


def _stanza_ids(element: Element, room: str) -> Iterator[str]:
    # XEP-0359 §6: nobody but the room itself is believed.
    for one in element.iterfind(f"{{{ns.STANZA_ID}}}stanza-id"):
        if one.get("by", "").lower() == room.lower():
            yield one.get("id", "")


def _reactions(reactions: Element | None) -> Iterator[str]:
    if reactions is not None:
        for one in reactions.findall(f"{{{ns.REACTIONS}}}reaction")[:_REACTIONS_LIMIT]:
            if one.text and one.text.strip():
                yield one.text.strip()


def _retracted(element: Element) -> str:
    for namespace in ns.RETRACTS:
        found = element.find(f"{{{namespace}}}retract")
        if found is not None and found.get("id"):
            return found.get("id", "")
    # Before retractions had an id of their own, they were fastened to a message (XEP-0422).
    fastened = element.find(f"{{{ns.FASTEN}}}apply-to")
    if fastened is not None and any(one.tag.endswith("}retract") for one in fastened.iter()):
        return fastened.get("id", "")
    return ""


def _quoted(element: Element) -> tuple[int, int]:
    for one in element.iterfind(f"{{{ns.FALLBACK}}}fallback"):
        body = one.find(f"{{{ns.FALLBACK}}}body")
        if one.get("for") == ns.REPLY and body is not None:
            start, end = body.get("start", ""), body.get("end", "")
            if all(n.isascii() and n.isdigit() and len(n) < 8 for n in (start, end)):
                return int(start), int(end)
    return 0, 0


def _is_fallback(element: Element) -> bool:
    return any(
        one.get("for") != ns.REPLY and one.find(f"{{{ns.FALLBACK}}}subject") is None
        for one in element.iterfind(f"{{{ns.FALLBACK}}}fallback")
    )


def _said_at(element: Element) -> datetime | None:
    stamp = _attribute(element, f"{{{ns.DELAY}}}delay", "stamp")
    try:
        return datetime.fromisoformat(stamp) if stamp else None
    except ValueError:
        return None
