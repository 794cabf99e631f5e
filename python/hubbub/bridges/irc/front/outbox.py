"""What a session says: lines with the tags that its client wants, labels and batches (pure)."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from hubbub.bridges.irc.front.names import packed
from hubbub.bridges.irc.line import Line, fitted, room_for_text

LABEL_LIMIT_BYTES = 64

WORDS_LIMIT_BYTES = 340
"""How much the words in the middle of a line may take: the longest of rooms and nicks have room."""


class Outbox:
    """Writes for one client.

    Args:
        server: What lines of the server's own come from.
        write: Sends a line.
        now_ms: The time.
    """

    def __init__(
        self, server: str, write: Callable[[Line], None], now_ms: Callable[[], int]
    ) -> None:
        self.server = server
        self.nick = "*"
        self.caps: set[str] = set()
        self._write = write
        self._now_ms = now_ms
        self._answers: list[Line] | None = None
        self._batches = 0

    def numeric(self, numeric: str, *params: str) -> Line:
        """A numeric: the client's own nick goes before the parameters.

        What a client has sent may stand in it: what could not within a line is left out.
        """
        *middle, last = params
        return Line(numeric, (self.nick, *shown(*middle), last), self.server)

    def listing(
        self, numeric: str, *params: str, names: Iterable[str], separator: str = " "
    ) -> list[Line]:
        """A numeric as often as it takes to tell all of these names, none of them cut."""
        room = room_for_text(self.server, numeric, self.nick, *shown(*params))
        return [self.numeric(numeric, *params, one) for one in packed(names, separator, room)]

    def reply(self, numeric: str, *params: str) -> None:
        """A numeric as an answer."""
        self.answer(self.numeric(numeric, *params))

    def fail(self, command: str, code: str, *params: str) -> None:
        """A standard reply; a client that does not know them shows it, or passes it over."""
        *context, words = params
        command, *context = shown(command, *context)
        self.answer(Line("FAIL", (command, code, *context, words), self.server))

    def answer(self, line: Line) -> None:
        """What the client's own command has brought about."""
        line = self._dressed(line)
        if self._answers is None:
            self._write(line)
        else:
            self._answers.append(line)

    def tell(self, line: Line) -> None:
        """What happened without the client."""
        self._write(self._dressed(line))

    @contextmanager
    def labelled(self, tags: Mapping[str, str]) -> Generator[None]:
        """Gives the answers of what happens within the label of a command, if it has one."""
        label = tags.get("label", "")
        is_wanted = {"labeled-response", "batch"} <= self.caps and 0 < len(label.encode()) <= (
            LABEL_LIMIT_BYTES
        )
        if not is_wanted:
            yield
            return
        self._answers = []
        try:
            yield
        finally:
            answers, self._answers = self._answers, None
            self._send_labelled(answers, label)

    @contextmanager
    def batch(self, *kind: str) -> Generator[str]:
        """Lines that belong together; gives the id for their `batch` tag."""
        if "batch" not in self.caps:
            yield ""
            return
        id_ = self._new_batch()
        self.answer(Line("BATCH", (f"+{id_}", *kind), self.server))
        yield id_
        self.answer(Line("BATCH", (f"-{id_}",), self.server))

    def time(self, at_ms: int) -> str:
        """A time as tags write it."""
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"

    def _send_labelled(self, answers: list[Line], label: str) -> None:
        if not answers:
            answers = [self._dressed(Line("ACK", (), self.server))]
        if len(answers) == 1:
            self._write(_tagged(answers[0], {"label": label}))
            return
        id_ = self._new_batch()
        begin = Line("BATCH", (f"+{id_}", "labeled-response"), self.server)
        self._write(_tagged(self._dressed(begin), {"label": label}))
        for line in answers:
            self._write(line if "batch" in line.tags else _tagged(line, {"batch": id_}))
        self._write(self._dressed(Line("BATCH", (f"-{id_}",), self.server)))

    def _new_batch(self) -> str:
        self._batches += 1
        return f"b{self._batches}"

    def _dressed(self, line: Line) -> Line:
        """The line with the tags that the client may see, and no others."""
        tags = {key: value for key, value in line.tags.items() if self._may_see(key)}
        if "server-time" in self.caps and "time" not in tags:
            tags["time"] = self.time(self._now_ms())
        return fitted(Line(line.command, line.params, line.source, tags))

    def _may_see(self, key: str) -> bool:
        match key:
            case "time":
                return "server-time" in self.caps
            case "account":
                return "account-tag" in self.caps
            case "batch":
                return "batch" in self.caps
            case _:
                return "message-tags" in self.caps


def shown(*words: str) -> list[str]:
    """Words of a client's, so that they can stand in the middle of a line; the longest are cut."""
    kept = [_printable(word) for word in words]
    sizes = [len(word.encode()) for word in kept]
    while sum(sizes) > WORDS_LIMIT_BYTES:
        at = sizes.index(max(sizes))
        kept[at] = kept[at][:-1]
        sizes[at] = len(kept[at].encode())
    return kept


def _printable(word: str) -> str:
    kept = "".join(one for one in word if one.isprintable() and one != " ")
    return kept if kept and not kept.startswith(":") else "*"


def _tagged(line: Line, tags: Mapping[str, str]) -> Line:
    return Line(line.command, line.params, line.source, {**line.tags, **tags})
