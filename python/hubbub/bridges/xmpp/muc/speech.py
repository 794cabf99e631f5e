"""What a delivery is in a room: which extension tells it, or what stands in its place (pure).

The written rules: who has no puppet speaks as `<nick> text`. An edit replaces the message it is
about, by that one's first id whatever was edited since, if we have said it in this visit and by the
same occupant; otherwise it is said anew, behind a `*`. A retraction takes back all that was said
anew, too. A reaction or a retraction of what the room does not know is not told.
"""

from xml.etree.ElementTree import Element

from hubbub.bridges.link.remote import Author, Delivery, Edit, Quoted, React, Retract, Say, SetTopic
from hubbub.bridges.xmpp.muc.compose import Composer
from hubbub.bridges.xmpp.muc.marks import Marks
from hubbub.bridges.xmpp.muc.memory import Known
from hubbub.bridges.xmpp.muc.room import Room
from hubbub.bridges.xmpp.muc.styling import to_styling
from hubbub.markup import plain_text

_PARTS_LIMIT = 9


class Speech:
    """Makes stanzas of deliveries to one room.

    Args:
        composer: Writes them.
        room: Where.
        marks: The ids of our messages.
    """

    def __init__(self, composer: Composer, room: Room, marks: Marks) -> None:
        self._composer = composer
        self._room = room
        self._marks = marks

    def stanzas(self, delivery: Delivery, sender: str, *, is_relayed: bool) -> list[Element] | str:
        """What is sent.

        Args:
            delivery: What is to be told.
            sender: Who says it; empty: the account.
            is_relayed: Whether the text has to say who says it.

        Returns:
            A string: why it cannot be told.
        """
        composer, channel = self._composer, delivery.channel
        id_ = self._marks.id_of(delivery.number)
        author = delivery.author if is_relayed else None
        match delivery.what:
            case Say() as said:
                body = _spoken(said.text, author, is_action=said.kind == "action")
                message = composer.say(sender, channel, id_, {said.lang: body})
                if said.reply is not None:
                    self._answer(message, said.reply)
                return [message]
            case Edit() as edit:
                replaced = self._replaced(edit.before)
                mark = "" if replaced else "\\* "
                bodies = {edit.lang: _spoken(f"{mark}{edit.text}", author)}
                return [composer.say(sender, channel, id_, bodies, replaces=replaced)]
            case Retract() as retract:
                if not retract.before.remote_id:
                    return "the room does not know what is taken back"
                if retract.before.is_remote:
                    return "what people there have said, they take back themselves"
                return [
                    composer.retract(sender, channel, self._marks.id_of(delivery.number, part), one)
                    for part, one in enumerate(self._standing(retract.before))
                ]
            case React() as react:
                return self._reactions(react, delivery.author, sender, channel, id_)
            case SetTopic() as topic:
                return [composer.topic(sender, channel, id_, topic.topic)]

    def _answer(self, message: Element, quoted: Quoted) -> None:
        known = self._known(quoted)
        nick = known.nick if known is not None else quoted.nick
        to = f"{self._room.channel}/{nick}" if nick and quoted.remote_id else ""
        words = plain_text(quoted.text)
        excerpt = f"{quoted.nick}: {words}" if quoted.nick else words
        self._composer.answers(message, to, quoted.remote_id, excerpt)

    def _reactions(
        self, react: React, author: Author, sender: str, channel: str, id_: str
    ) -> list[Element] | str:
        target = react.to.remote_id
        if not target:
            return "the room does not know what is reacted to"
        known = self._known(react.to)
        # All of one occupant's reactions are told at once: of those we remember, at least.
        held = known.reactions if known is not None else set[tuple[str, str]]()
        # An account speaks for everybody, a puppet for one.
        held.discard((author.user, react.emoji))
        if react.on:
            held.add((author.user, react.emoji))
        is_own = bool(sender) and sender.partition("@")[0] != "bridge"
        emojis = sorted({emoji for user, emoji in held if not is_own or user == author.user})
        return [self._composer.react(sender, channel, id_, target, emojis)]

    def _replaced(self, quoted: Quoted) -> str:
        """Whose id an edit bears; empty: nothing can be edited any more."""
        for name in quoted.names:
            known = self._room.memory.find(name)
            # XEP-0308: each of several edits bears the id of what was said first.
            if known is not None and known.visit == self._room.visit and not known.is_edit:
                return known.id
        return ""

    def _standing(self, quoted: Quoted) -> list[str]:
        """The names of a message, and of what was said anew in its place."""
        first, *edits = quoted.names
        known = {name: self._room.memory.find(name) for name in edits}
        anew = [name for name, one in known.items() if one is None or not one.is_edit]
        return [first, *anew[-_PARTS_LIMIT:]]

    def _known(self, quoted: Quoted) -> Known | None:
        return self._room.memory.find(quoted.remote_id) if quoted.remote_id else None


def _spoken(text: str, author: Author | None, *, is_action: bool = False) -> str:
    styled = to_styling(text)
    if author is None or not author.nick:
        return f"/me {styled}" if is_action else styled
    if is_action:
        return f"* {author.nick} {styled}"
    # A quotation or a fence is one only at the beginning of a line.
    is_block = styled.startswith((">", "```"))
    return f"<{author.nick}>\n{styled}" if is_block else f"<{author.nick}> {styled}"
