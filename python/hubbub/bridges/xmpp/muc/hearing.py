"""What a message in a room comes to, for the chat (pure)."""

from hubbub.bridges.link.remote import (
    Acknowledged,
    Edited,
    Person,
    ReactedWith,
    Rejected,
    Retracted,
    Said,
    Told,
    TopicSet,
)
from hubbub.bridges.xmpp.muc.marks import Marks, origin_of
from hubbub.bridges.xmpp.muc.memory import Known, Memory
from hubbub.bridges.xmpp.muc.stanzas import Message
from hubbub.bridges.xmpp.muc.styling import from_styling

_ME = "/me "


def hear(
    message: Message, channel: str, person: Person, marks: Marks, memory: Memory, visit: int
) -> list[Told]:
    """Takes a message of a room.

    Args:
        message: The message.
        channel: The room.
        person: Who said it.
        marks: The ids of our own.
        memory: The messages before; this one is noted in it.
        visit: During which visit of ours.
    """
    number = marks.number_of(message.id)
    if message.error:
        return [Rejected(number, message.error)] if number is not None else []
    if message.stanza_id and message.stanza_id in memory:
        # It was in the archive, too.
        return []
    if message.said_at is not None and not message.id and not message.stanza_id:
        # History without ids: it cannot be told from what was heard already.
        return []
    is_edit = bool(message.replaces)
    known = Known(message.id, message.stanza_id, person.name, visit, person.id, is_edit)
    if message.id or message.stanza_id:
        memory.add(known)
    if number is not None:
        return [Acknowledged(number, known.remote_id)]
    if not person.name:
        return _by_room(message, channel, memory)
    if message.retracts:
        if message.is_moderated:
            # XEP-0425 §5: that somebody has moderated, nobody but the room itself tells.
            return []
        before = memory.find(message.retracts)
        # XEP-0424 §5: a retraction is of the sender's own; others' are not to be believed.
        is_own = before is not None and before.sender == person.id
        taken = memory.remote_id(message.retracts)
        return [Retracted(channel, person, taken, is_vouched=is_own)]
    if message.reacts_to:
        target = memory.remote_id(message.reacts_to)
        return [ReactedWith(channel, person, target, message.reactions)]
    if message.subject is not None:
        return [TopicSet(channel, person, message.subject)]
    if message.is_fallback:
        return []
    return _said(message, channel, person, known, memory)


def _by_room(message: Message, channel: str, memory: Memory) -> list[Told]:
    """What the room itself says: what it is about, and what its moderators have done."""
    if message.subject is not None:
        return [TopicSet(channel, None, message.subject)]
    if message.retracts and message.is_moderated:
        return [Retracted(channel, None, memory.remote_id(message.retracts), is_vouched=True)]
    return []


def _said(
    message: Message, channel: str, person: Person, known: Known, memory: Memory
) -> list[Told]:
    body, lang = message.body()
    is_action = body.startswith(_ME)
    text = from_styling(body.removeprefix(_ME), is_styled=message.is_styled).strip("\n")
    if not text.strip():
        return []
    if message.replaces:
        before = memory.remote_id(message.replaces)
        return [Edited(channel, person, before, text, known.remote_id, lang)]
    return [
        Said(
            channel,
            person,
            text,
            known.remote_id,
            "action" if is_action else "text",
            memory.remote_id(message.replies_to) if message.replies_to else "",
            lang,
            origin_of(message.id),
        )
    ]
