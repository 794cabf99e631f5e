"""Lines out of a stream of bytes, and none longer than it may be (pure)."""

from dataclasses import dataclass

from hubbub.bridges.irc.line import CLIENT_TAGS_LIMIT_BYTES, LINE_LIMIT_BYTES


@dataclass(frozen=True)
class TooLong:
    """A line that was longer than allowed; it is gone."""


class Cutter:
    """Takes what has arrived and tells the next line.

    What is held is bounded: of a line that is too long nothing is kept.

    Args:
        tags_limit_bytes: How long tags may be, without `@` and blank.
    """

    def __init__(self, tags_limit_bytes: int = CLIENT_TAGS_LIMIT_BYTES) -> None:
        self._tags_limit = tags_limit_bytes
        self._held = bytearray()
        self._seen = 0
        self._is_skipping = False

    def feed(self, piece: bytes) -> list[bytes | TooLong]:
        """The lines that end in this piece, without CR and LF; empty ones are passed over."""
        self._held += piece
        found: list[bytes | TooLong] = []
        begin = 0
        while (end := self._held.find(b"\n", max(begin, self._seen))) >= 0:
            line = bytes(self._held[begin:end]).rstrip(b"\r")
            begin = end + 1
            if self._is_skipping:
                self._is_skipping = False
            elif self.is_too_long(line):
                found.append(TooLong())
            elif line:
                found.append(line)
        del self._held[:begin]
        # What was looked through is not looked through again.
        self._seen = len(self._held)
        if len(self._held) > self._tags_limit + 2 + LINE_LIMIT_BYTES:
            self._held.clear()
            self._seen = 0
            if not self._is_skipping:
                found.append(TooLong())
            self._is_skipping = True
        return found

    def is_too_long(self, line: bytes) -> bool:
        """Whether a line, without its end, is longer than allowed."""
        rest = line
        if line.startswith(b"@"):
            tags, _, rest = line.partition(b" ")
            if len(tags) - 1 > self._tags_limit:
                return True
        return len(rest) > LINE_LIMIT_BYTES - 2
