"""What systemd is told (sd_notify(3)): ready, stopping, still alive. Without systemd, nothing.

A datagram to the socket that `NOTIFY_SOCKET` names, so no library is needed. Knows nothing of
servers; whose news it is, `running` knows.
"""

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

_WATCHDOG_SHARE = 0.5
# sd_watchdog_enabled(3): "every half of the time returned here".


class Supervisor:
    """systemd, if it started us."""

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        """Prepares it.

        Args:
            address: Where notifications go: a path, or "@…" for an abstract one.
            watchdog_s: How often it wants to hear from us, in seconds; 0: never.
        """
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_s = watchdog_s
        self._beat: asyncio.TimerHandle | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], pid: int) -> "Supervisor":
        """The one that an environment names.

        Its variables stay where they are: a successor needs them, too.
        """
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            # vsock and the like are for virtual machines.
            return cls()
        watched = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        with suppress(ValueError):
            if watched:
                return cls(address, int(environment.get("WATCHDOG_USEC", "0")) / 1e6)
        return cls(address)

    def ready(self, status: str) -> None:
        """It serves, or has ended reloading."""
        self.tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """It begins to reload; `ready` ends that."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.tell("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def stopping(self, status: str, within_s: float) -> None:
        """It begins to stop, and will take so long at most."""
        extension_us = int(within_s * 1e6)
        self.tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={extension_us}", f"STATUS={status}")

    def replaced(self, pid: int) -> None:
        """Another process is the server from now on, and what is heard of us is no longer of it."""
        self.tell(f"MAINPID={pid}")
        self.end_watch()

    def begin_watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tells from the loop's own timer that it lives: a loop that is blocked tells nothing."""
        if not (self._address and self._watchdog_s):
            return
        self.tell("WATCHDOG=1")
        interval_s = self._watchdog_s * _WATCHDOG_SHARE
        self._beat = loop.call_later(interval_s, self.begin_watch, loop)

    def end_watch(self) -> None:
        """Is no longer asked whether it lives."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def tell(self, *lines: str) -> None:
        """Sends assignments as they are; that nobody hears them is no reason to fail."""
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sender:
            sender.sendto("\n".join(lines).encode(), self._address)
