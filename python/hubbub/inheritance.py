"""Sockets that were open before this process began: from systemd, or from the server it replaces.

Both are named in the environment, and their variables are removed from it so that programs that
the application starts do not take them for their own. Binding new ones is `listening`'s.
"""

import json
import os
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from hubbub.errors import Failure

SOCKETS = "HUBBUB_SOCKETS"
"""Names and numbers of the sockets that a server hands to its successor, as JSON."""

CHANNEL = "HUBBUB_CHANNEL"
"""The descriptor at which the predecessor waits to hear that the successor is ready."""

_SYSTEMD_FIRST = 3
_SYSTEMD = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
# What sd_listen_fds_with_names(3) calls a socket whose unit gives no name.
_UNNAMED = "unknown"


@dataclass
class Inheritance:
    """Descriptors of listening sockets, each to be taken once."""

    activated: list[tuple[str, int]] = field(default_factory=list)
    """From systemd: name and descriptor."""

    handed_over: list[tuple[str, int]] = field(default_factory=list)
    """From the predecessor: what it had been asked to bind, and descriptor."""

    channel: int | None = None
    """See `CHANNEL`; None: nobody is being replaced."""

    @classmethod
    def read(cls, environment: MutableMapping[str, str], pid: int) -> "Inheritance":
        """Takes the variables out of an environment.

        Raises:
            Failure: They say something else than systemd or a server of ours would.
        """
        heirs = environment.pop("LISTEN_PID", "")
        count, names = (environment.pop(name, "") for name in _SYSTEMD[1:])
        sockets, channel = environment.pop(SOCKETS, "[]"), environment.pop(CHANNEL, None)
        try:
            # For another process: whoever started us had them, and did not clean up.
            activated = _activated(int(count), names) if heirs == str(pid) else []
            handed_over = [(str(name), int(number)) for name, number in json.loads(sockets)]
            return cls(activated, handed_over, None if channel is None else int(channel))
        except (TypeError, ValueError) as error:
            raise Failure(f"the environment names no inherited sockets: {error}") from None

    def take_activated(self, name: str) -> list[int]:
        """The sockets from systemd of this name, or all that are left."""
        taken = [number for one, number in self.activated if name in ("", one)]
        self.activated = [pair for pair in self.activated if pair[1] not in taken]
        return taken

    def take_handed_over(self, key: str) -> int | None:
        """The predecessor's socket for what it had been asked to bind in these words."""
        for pair in self.handed_over:
            if pair[0] == key:
                self.handed_over.remove(pair)
                return pair[1]
        return None

    def close_rest(self) -> None:
        """Closes what the predecessor served and we do not."""
        for _, number in self.handed_over:
            os.close(number)
        self.handed_over.clear()


@cache
def received() -> Inheritance:
    """What this process has inherited.

    Raises:
        Failure: The environment says nonsense.
    """
    return Inheritance.read(os.environ, os.getpid())


def encode(sockets: Sequence[tuple[str, int]], channel: int) -> dict[str, str]:
    """The variables that tell a successor what it inherits."""
    return {SOCKETS: json.dumps(sockets), CHANNEL: str(channel)}


def _activated(count: int, names: str) -> list[tuple[str, int]]:
    given = names.split(":") if names else []
    given += [_UNNAMED] * (count - len(given))
    return [(name, _SYSTEMD_FIRST + index) for index, name in enumerate(given[:count])]
