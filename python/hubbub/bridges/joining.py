"""Runs the bridges of a chat, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hubbub.app import App
from hubbub.apps.chat import ChatService
from hubbub.bridges.configured import Bridge, Bridges, bridges_of
from hubbub.bridges.irc.client import IrcRemote
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.link import Link
from hubbub.bridges.link.remote import Remote
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.errors import Misuse
from hubbub.log import logger

_AGAIN_S = 10.0


def add_bridges(app: App[Any], service: ChatService, tables: Bridges) -> None:
    """Joins a chat to other networks.

    Args:
        app: Where the chat stands.
        service: The chat.
        tables: The bridges' settings.
    """
    wanted = {name: one for name, one in bridges_of(tables).items() if one.enabled}
    if not wanted:
        return
    database = Path(service.config.database)
    ledger = Ledger(database.with_name(f"{database.stem}-bridges.sqlite3"))
    links = {
        name: Link(
            service, name, settings, remote_of(name, settings, str(database), ledger), ledger
        )
        for name, settings in wanted.items()
    }
    app.bridges.update(links)
    app.lifespan(_Joining(links, ledger).open)


def remote_of(name: str, settings: Bridge, place: str, ledger: Ledger) -> Remote:
    """The network that a bridge's settings name.

    Raises:
        Misuse: It needs what is not installed.
    """
    if isinstance(settings, XmppBridge):
        return _xmpp(name, settings, ledger)
    return IrcRemote(name, settings, place)


def _xmpp(name: str, settings: XmppBridge, ledger: Ledger) -> Remote:
    try:
        from hubbub.bridges.xmpp.muc.remote import MucRemote
    except ModuleNotFoundError as error:
        if error.name != "slixmpp":
            raise
        raise Misuse(f"bridges.{name}: needs slixmpp: pip install hubbub[xmpp]") from None

    def is_known(channel: str, remote_id: str) -> bool:
        return bool(ledger.message(name, channel, remote_id))

    return MucRemote(settings, is_known)


class _Joining:
    def __init__(self, links: dict[str, Link], ledger: Ledger) -> None:
        self._links = links
        self._ledger = ledger

    async def open(self) -> AsyncIterator[None]:
        """Runs them; a version of the code that is being replaced keeps the ledger to its end."""
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def _run(self) -> None:
        async with self._ledger.opened(), asyncio.TaskGroup() as group:
            for link in self._links.values():
                group.create_task(self._keep(link))

    async def _keep(self, link: Link) -> None:
        """One bridge that fails is tried again, and no other suffers for it."""
        while True:
            try:
                await link.run()
            except Exception as error:
                link.state = f"failed: {error}"
                logger.exception("bridge %s", link.name)
            await asyncio.sleep(_AGAIN_S)
