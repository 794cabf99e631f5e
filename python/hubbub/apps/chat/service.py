"""`ChatService`: the chat of one app. Listens, asks the rooms, stores, tells.

What may be and what comes of it is decided by `Room` and its kin; here it is fetched, carried to
the disk and sent. Remote procedures are in `rooms`, `talking` and `profile`, HTTP in `sign_in` and
`downloads`; who comes by a bridge, in `visitors`.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubbub.app import App
from hubbub.apps.chat import events as ev
from hubbub.apps.chat import refusals
from hubbub.apps.chat.account import Account, me
from hubbub.apps.chat.commands import Caller, Join, Person
from hubbub.apps.chat.events import Heard, RoomEvent
from hubbub.apps.chat.housekeeping import Housekeeping
from hubbub.apps.chat.ids import Ulids, opaque
from hubbub.apps.chat.limits import Buckets
from hubbub.apps.chat.live import Live
from hubbub.apps.chat.nick import checked_room_name, keys
from hubbub.apps.chat.people import People, digest
from hubbub.apps.chat.presence import Presences
from hubbub.apps.chat.room import Room
from hubbub.apps.chat.settings import Config
from hubbub.apps.chat.sign_in import COOKIE, SignIn
from hubbub.apps.chat.store import Store
from hubbub.apps.chat.store.changes import Gone, keep, make_room
from hubbub.apps.chat.views import Views
from hubbub.apps.chat.wire import RoomInfo
from hubbub.config import duration_s
from hubbub.errors import Misuse
from hubbub.hub import Client, ConnectRequest, Disconnected, End, Hub, Refused, Tokens, Welcome
from hubbub.log import logger
from hubbub.translation import Translator, prepare

if TYPE_CHECKING:
    from hubbub.apps.chat.profile import Profile
    from hubbub.apps.chat.rooms import Rooms
    from hubbub.apps.chat.talking import Talking
    from hubbub.apps.chat.visitors import Visitors

LOBBY = "lobby"
OUT = End(2000, "no longer in this room")

_OWN_AGE_S = 300
"""How long what concerns somebody alone is told again to who has missed it."""


def not_signed_in() -> Disconnected:
    """What ends the connection of somebody nobody knows; a new one each time it is raised."""
    return Disconnected(4501, "sign in first")


def signed_out() -> Disconnected:
    """What ends the connections of somebody who has signed out, or is no more."""
    return Disconnected(4502, "signed out")


Listener = Callable[[Room, Heard, object], None]
"""Hears what has happened in a room, and who asked for it if that was a `Caller`."""

Door = Callable[[str], None]
"""Ends all connections of a user that are not the hub's."""


class ChatService:
    """One chat.

    Args:
        app: Where it stands.
        config: Its settings.

    Attributes:
        rooms: What is done with rooms.
        talking: What is done with messages.
        profile: What people do to themselves.
        visitors: Who comes by a bridge.
    """

    rooms: "Rooms"
    talking: "Talking"
    profile: "Profile"
    visitors: "Visitors"

    def __init__(self, app: App[Any], config: Config) -> None:
        self.app = app
        self.config = config
        self.clock_s: Callable[[], float] = time.time
        """Seconds since the epoch of Unix."""

        tokens = None
        if config.jwt_secret or config.jwks:
            tokens = Tokens(secret=config.jwt_secret or None, jwks=config.jwks or None)
        self.hub = (
            Hub(app, tokens=tokens, origins=config.origins)
            if config.origins
            else Hub(app, tokens=tokens)
        )
        self.hub.channel(
            "room:*", history_limit=1_000, history_age="1h", history_limit_bytes="1MiB"
        )
        self.hub.channel("user:*", history_limit=100, history_age=f"{_OWN_AGE_S}s")
        self.hub.channel("live:*", slow="drop-oldest")
        self.hub.on_connect(self._connected)
        self.hub.on_disconnect(self._disconnected)
        self.hub.authorize("room:*")(self._may_hear)
        self.hub.authorize("live:*")(self._may_hear)
        self.limits = {
            name: Buckets(config.limits.rate(name)) for name in config.limits.__struct_fields__
        }
        self.ulids = Ulids(secrets.randbits)
        self.saying: dict[tuple[str, str], asyncio.Future[list[RoomEvent]]] = {}
        self._running: tuple[Store, People, Live, Presences, Views] | None = None
        self._translator: Translator | None = None
        self._listeners: list[Listener] = []
        self._doors: list[Door] = []
        self.sign_in = SignIn(app, config, lambda: self.people, self.arrived, self._signed_out)
        app.lifespan(self._live)
        app.handover(self._take_over)
        app.every(1.0)(self._tick)

    # What runs

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self._run[0]

    @property
    def people(self) -> People:
        """Everybody."""
        return self._run[1]

    @property
    def live(self) -> Live:
        """The rooms in use."""
        return self._run[2]

    @property
    def presences(self) -> Presences:
        """Who has come online and gone."""
        return self._run[3]

    @property
    def views(self) -> Views:
        """Rooms and members as people see them."""
        return self._run[4]

    @property
    def translator(self) -> Translator:
        """Who translates."""
        if self._translator is None:
            raise Misuse("the app is not being served")
        return self._translator

    @property
    def _run(self) -> tuple[Store, People, Live, Presences, Views]:
        if self._running is None:
            raise Misuse("the app is not being served")
        return self._running

    async def _live(self) -> AsyncIterator[None]:
        store = Store(Path(self.config.database))
        age_ms = int(duration_s(self.config.session_age) * 1000)
        people = People(store, frozenset(self.config.owners), self.now_ms, age_ms)
        live = Live(store, self._told, self.gone, self.now_ms)
        views = Views(store, live, people)
        self._running = (store, people, live, Presences(), views)
        self._translator = self.config.translation.translator(store.path.parent)
        keeping = asyncio.create_task(Housekeeping(self).run())
        warming = asyncio.create_task(asyncio.to_thread(prepare))
        try:
            await self._make_lobby()
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping, warming])
            await self.translator.close()
            # What was submitted is stored and told, before nobody can be told any more.
            store.close()
            self.sign_in.close()
            self._running = None

    def _take_over(self, old: App[Any]) -> None:
        """A newer version of the code: whoever is online stays so."""
        chat = getattr(old.state, "chat", None)
        if chat is not None:
            self.people.take_over(chat.people.staying)

    async def _make_lobby(self) -> None:
        if not self.config.lobby or self.live.room(LOBBY) is not None:
            return
        now = self.now_ms()
        name = checked_room_name(self.config.lobby)
        event = ev.RoomSet(1, now, name, "open")

        def write(db: Any) -> None:
            make_room(db, LOBBY, "open", now)
            keep(db, LOBBY, [event])

        await self.store.write(write)

    def now_ms(self) -> int:
        """The time, in ms since the epoch of Unix."""
        return int(self.clock_s() * 1000)

    # Who comes and goes

    def _connected(self, client: Client, request: ConnectRequest) -> Any:
        if client.user:
            return self._by_token(client)
        token = client.request.cookies.get(COOKIE, "")
        account = self.people.whose(token)
        if account is None:
            raise not_signed_in()
        client.data = digest(token)
        return self._welcome(account)

    async def _by_token(self, client: Client) -> Welcome:
        """Somebody whom a token speaks for; the first time, they get an account."""
        account = self.people.account(client.user)
        if account is None:
            account = await self.people.add_external(client.user, bytes(client.info))
            await self.arrived(account)
        elif not account.external:
            raise not_signed_in()
        return self._welcome(account)

    def _welcome(self, account: Account) -> Welcome:
        self.came(account)
        return Welcome(
            user=account.user,
            info={"nick": account.nick},
            data={"me": me(account, self.people.owners)},
            channels=(f"user:{account.user}",),
        )

    def _disconnected(self, client: Client) -> None:
        if self._running is not None:
            self.went(client.user)

    def came(self, account: Account, *, stays: bool = True) -> None:
        """A connection of somebody's is in.

        Args:
            account: Whose.
            stays: Whether it outlives this version of the code.
        """
        if self.people.arrived(account, stays=stays):
            self._note_presence(account.user, is_online=True)

    def went(self, user: str, *, stays: bool = True) -> None:
        """A connection of somebody's is gone."""
        if self.people.left(user, stays=stays):
            self._note_presence(user, is_online=False)

    def _note_presence(self, user: str, *, is_online: bool) -> None:
        for room in self.store.here.rooms_of(user):
            self.presences.note(room, user, is_online=is_online)

    def _may_hear(self, client: Client, channel: str) -> bool:
        room = self.live.room(channel.partition(":")[2])
        return room is not None and room.may_see(client.user, self.now_ms())

    async def arrived(self, account: Account) -> None:
        """Everybody is in the lobby, unless they have left it, or may not be there."""
        lobby = self.live.room(LOBBY)
        if lobby is None or account.user in lobby.members:
            return
        try:
            await self.live.carry_out(lobby, Join(), self.people.person(account.user))
        except Refused as refused:
            logger.debug("chat: %s is not in the lobby: %s", account.user, refused.message)

    def _signed_out(self, token: str) -> None:
        hashed = digest(token)
        for client in self.hub.clients():
            if client.data == hashed:
                client.disconnect(signed_out())

    async def send_away(self, user: str) -> None:
        """Ends all connections of somebody who is no more."""
        self.sign_out(user)

    def sign_out(self, user: str, kept: bytes | None = b"") -> None:
        """Ends the connections of somebody, wherever they come in.

        Args:
            user: Whose.
            kept: The digest of the session whose connections stay; None: those with a token stay.
        """
        for client in self.hub.clients(user):
            if client.data != kept:
                client.disconnect(signed_out())
        for door in self._doors:
            door(user)

    def add_door(self, door: Door) -> None:
        """Has somebody told whom to show out: people come in by them, too."""
        self._doors.append(door)

    # What is told

    def _told(self, room: Room, event: RoomEvent, origin: object) -> None:
        """Tells everybody whom an event concerns; it is on disk."""
        if isinstance(event, ev.Edited | ev.Deleted | ev.Erased):
            self.forget(room.id)
        self.hub.publish(f"room:{room.id}", event)
        self._tell_users(room, event)
        self.heard(room, event, origin)

    def gone(self, gone: Sequence[Gone]) -> None:
        """Has what was made of messages forgotten, and who they mention not told of them again."""
        self.translator.forget(one.text for one in gone)
        since = self.now_ms() - _OWN_AGE_S * 1000
        for user in {user for one in gone if one.ts > since for user in one.mentions}:
            self.hub.forget(f"user:{user}")

    def forget(self, room: str) -> None:
        """Has the hub forget what was told in a room: some of it is not to be read any more.

        Whoever hears the room has heard it, and goes on; who comes back later asks for what they
        missed as it is now (`sync`).
        """
        self.hub.forget(f"room:{room}")

    def listen(self, listener: Listener) -> None:
        """Has somebody told of all that happens in rooms, in its order, once it is on disk."""
        self._listeners.append(listener)

    def heard(self, room: Room, event: Heard, origin: object = None) -> None:
        """Tells those who listen."""
        for listener in self._listeners:
            try:
                listener(room, event, origin)
            except Exception:
                # What a bridge does not bear, the chat does not suffer for.
                logger.exception("chat: a listener failed at %s", type(event).__name__)

    def _tell_users(self, room: Room, event: RoomEvent) -> None:
        """Tells those whom an event concerns wherever they look, and shows out who must go."""
        match event:
            case ev.Said() if event.message is not None:
                for user in event.message.mentions:
                    told = {"type": "mention", "room": room.id, "message": event.message}
                    self.tell(user, told)
            case ev.MemberSet() if event.joined:
                if self.people.is_online(event.user):
                    self.presences.note(room.id, event.user, is_online=True)
                self._tell_room(room, event.user, "room")
            case ev.Invited():
                self._tell_room(room, event.user, "invite", by=event.by)
            case ev.Parted():
                self._out(room, event.user)
                left = {"type": "left", "room": room.id, "kind": event.kind}
                self.tell(event.user, {**left, "by": event.by, "reason": event.reason})
            case ev.Erased():
                self._out(room, event.user)
            case ev.RoomSet():
                self._close_door(room)
            case _:
                pass

    def tell(self, user: str, what: object) -> None:
        """Tells all connections of somebody, if there are any."""
        if self.people.is_online(user):
            self.hub.publish(f"user:{user}", what)

    def _tell_room(self, room: Room, user: str, what: str, **more: str) -> None:
        if self.people.is_online(user):
            self.tell(user, {"type": what, "room": self.views.info(room, user), **more})

    def tell_room(self, room: Room, user: str) -> RoomInfo:
        """Tells somebody that they have a room; returns what they are told."""
        self._tell_room(room, user, "room")
        return self.views.info(room, user)

    def _out(self, room: Room, user: str) -> None:
        if self.people.is_online(user):
            self.presences.note(room.id, user, is_online=False)
        for kind in ("room", "live"):
            self.hub.unsubscribe(user, f"{kind}:{room.id}", OUT)

    def _close_door(self, room: Room) -> None:
        if room.kind != "members":
            return
        for client in self.hub.clients():
            if client.user not in room.members:
                for kind in ("room", "live"):
                    client.unsubscribe(f"{kind}:{room.id}", OUT)

    def _tick(self) -> None:
        """Once a second: whoever has come and gone is told together."""
        for room, online, offline in self.presences.take():
            event = ev.Presence(0, self.now_ms(), online, offline, self.views.online(room))
            self.hub.publish(f"live:{room}", event)
            if (loaded := self.live.room(room)) is not None:
                self.heard(loaded, event)

    # What procedures need

    def person(self, client: Caller) -> Person:
        """Who calls.

        Raises:
            Refused: They are gone.
        """
        return self.people.person(client.user)

    def room_for(self, client: Caller, id: str) -> Room:  # noqa: A002
        """A room that somebody may see.

        Raises:
            Refused: There is none, or they may not know.
        """
        room = self.live.room(id)
        if room is None or not room.may_see(client.user, self.now_ms()):
            raise refusals.no_such("room")
        return room

    def room_known(self, client: Caller, id: str) -> Room:  # noqa: A002
        """A room that somebody may know of, be it that they may not come in.

        Raises:
            Refused: There is none, or they may not know.
        """
        room = self.live.room(id)
        if room is None or not room.knows(client.user):
            raise refusals.no_such("room")
        return room

    def slow(self, name: str, key: str, count: float = 1.0) -> None:
        """Counts against a limit.

        Raises:
            Refused: It is reached.
        """
        self.limits[name].take(key, time.monotonic(), count)

    def new_room_id(self) -> str:
        """A name for a new room."""
        return opaque("r", secrets.randbits)

    def room_named(self, name: str) -> str | None:
        """The room that is called so."""
        return self.store.here.room_by_name(keys(name))
