"""`Marks`: the ids of our own messages, by which they are known again (pure).

An id says which bridge has sent it and which delivery it is; a loop is known by the first, and what
became of a delivery when the connection broke by the second. Its last part nobody can make up
for a delivery that is still to come.
"""

import hashlib
import hmac
import re

_ID = re.compile(r"hubbub-([a-z0-9]{12})-(\d{1,18})-([0-9a-f]{16})(?:-\d)?", re.ASCII)


class Marks:
    """The ids of one bridge.

    Args:
        secret: What only this bridge knows; the same after a restart.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"hubbub xmpp " + secret.encode()).digest()
        self.mark = hmac.new(self._key, b"mark", "sha256").hexdigest()[:12]
        """Which bridge it is."""

    def id_of(self, number: int, part: int = 0) -> str:
        """The id of a delivery's message, or of another of up to nine parts of it."""
        whole = f"hubbub-{self.mark}-{number}-{self._proof(number)}"
        return f"{whole}-{part}" if part else whole

    def number_of(self, id: str) -> int | None:  # noqa: A002
        """Which delivery of ours a message is; None: none."""
        found = _ID.fullmatch(id)
        if found is None or found[1] != self.mark:
            return None
        number = int(found[2])
        return number if hmac.compare_digest(found[3], self._proof(number)) else None

    def _proof(self, number: int) -> str:
        return hmac.new(self._key, b"%d" % number, "sha256").hexdigest()[:16]


def origin_of(id: str) -> str:  # noqa: A002
    """The mark of the bridge that has sent a message; empty: none has."""
    found = _ID.fullmatch(id)
    return found[1] if found is not None else ""
