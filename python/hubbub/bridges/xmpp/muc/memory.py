"""`Memory`: the last messages of a room, by both their names (pure).

The sender calls a message otherwise than the room does, and extensions differ in which name they
mean: corrections the sender's, replies, reactions and retractions the room's.
"""

from dataclasses import dataclass, field

LIMIT = 2_000


@dataclass
class Known:
    """A message.

    Attributes:
        id: What its sender calls it.
        stanza_id: What the room calls it; empty: nothing.
        nick: Who said it.
        visit: During which visit of ours.
        sender: The id of who said it.
        is_edit: Whether it stands in the place of another.
        reactions: Who of the chat has reacted to it with what.
    """

    id: str
    stanza_id: str
    nick: str
    visit: int
    sender: str = ""
    is_edit: bool = False
    reactions: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @property
    def remote_id(self) -> str:
        """What the chat's side knows it by."""
        return self.stanza_id or self.id


class Memory:
    """The last messages of one room."""

    def __init__(self) -> None:
        self._by_stanza_id: dict[str, Known] = {}
        self._by_id: dict[str, Known] = {}

    def __contains__(self, stanza_id: str) -> bool:
        """Whether the room's name of a message is known."""
        return stanza_id in self._by_stanza_id

    def add(self, known: Known) -> None:
        """Notes a message; the oldest is forgotten."""
        for names, name in ((self._by_stanza_id, known.stanza_id), (self._by_id, known.id)):
            if name:
                names.pop(name, None)
                names[name] = known
                if len(names) > LIMIT:
                    del names[next(iter(names))]

    def find(self, name: str) -> Known | None:
        """The message that is called so, by the room or by its sender."""
        return self._by_stanza_id.get(name) or self._by_id.get(name)

    def remote_id(self, name: str) -> str:
        """What the chat's side knows a message by that is called so."""
        known = self.find(name)
        return known.remote_id if known is not None else name
