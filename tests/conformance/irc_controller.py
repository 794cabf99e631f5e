"""What irctest needs to test our front: a fresh chat for each of its tests, in a loop beside it.

irctest's own controllers start a process each time. A chat of ours lives in a thread: most of its
tests take less time than an interpreter takes to start.
"""

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import Any, ClassVar

from irctest.basecontrollers import BaseServerController
from irctest.runner import NotImplementedByController
from irctest.specifications import OptionalBehaviors

import hubbub
from hubbub import App
from hubbub.apps.chat import Limits
from hubbub.apps.chat.account import Account
from hubbub.bridges.chat import Config, app
from hubbub.bridges.irc.chat import IrcSettings
from hubbub.bridges.irc.front.names import FrontInfo
from hubbub.config import ServerSettings

_PLENTY = (100_000, 100_000)
_AT_ONCE = ServerSettings(drain_window_s=0, shutdown_timeout_s=1)


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


class HubbubController(BaseServerController):
    """A chat with its IRC front, without a lobby and without limits."""

    software_name = "Hubbub"
    supported_sasl_mechanisms = frozenset({"PLAIN"})
    supports_sts = False
    # What is said is on the disk before anybody hears it: between two clients that takes a moment.
    sync_sleep_time = 0.2
    capabilities = frozenset()
    optional_behaviors: frozenset[OptionalBehaviors] = frozenset()
    isupport: ClassVar[dict[str, str | None]] = {
        name: value or None
        for name, _, value in (token.partition("=") for token in FrontInfo().tokens())
    }
    _loop: _Loop | None = None

    def run(
        self,
        hostname: str,
        port: int,
        *,
        password: str | None,
        ssl: bool,
        run_services: bool,
        faketime: str | None,
        websocket_hostname: str | None,
        websocket_port: int | None,
    ) -> None:
        if password is not None:
            raise NotImplementedByController("a password of the server")
        if ssl:
            raise NotImplementedByController("TLS by this controller")
        type(self)._loop = self._loop or _Loop()
        self.folder = tempfile.TemporaryDirectory()
        self.hostname, self.port = hostname, port
        self._loop.run(self._start(websocket_port))

    async def _start(self, websocket_port: int | None) -> None:
        irc = IrcSettings(
            enabled=True,
            bind=(f"{self.hostname}:{self.port}",),
            server="My.Little.Server",
            websocket="",
            burst_lines=100_000,
        )
        limits = Limits(**dict.fromkeys(Limits.__struct_fields__, _PLENTY))
        file = Path(self.folder.name) / "chat.sqlite3"
        self.made = app(
            Config(database=str(file), lobby="", limits=limits, irc=irc, backup_every="0s")
        )
        root = App()
        root.mount("/chat", self.made)
        self.made.state.irc.install(root, "/")
        self.server = hubbub.serve(root, port=websocket_port or 0, settings=_AT_ONCE)
        await self.server.__aenter__()

    def registerUser(  # noqa: N802 - irctest's own name
        self, case: Any, username: str, password: str | None = None
    ) -> None:
        self._loop.run(self._register(username, password or ""))

    async def _register(self, nick: str, password: str) -> None:
        chat = self.made.state.chat
        kept = await chat.sign_in.passwords.hash(password)
        await chat.people.add(Account("", nick, password=kept, created=chat.now_ms()))

    def check_is_alive(self) -> None:
        pass

    def wait_for_port(self) -> None:
        pass

    def wait_for_services(self) -> None:
        pass

    def kill(self) -> None:
        self._loop.run(self.server.__aexit__(None, None, None))
        self.folder.cleanup()
        with self._used_ports() as used:
            used.difference_update(self._own_ports)
        self._own_ports.clear()


def get_irctest_controller_class() -> type[HubbubController]:
    return HubbubController
