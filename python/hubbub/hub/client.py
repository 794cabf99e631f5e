"""`Client`: one connection of a hub, as hooks and remote procedures see it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubbub.hub import codes, wire
from hubbub.hub.codes import Disconnected, End
from hubbub.hub.limits import Meter

if TYPE_CHECKING:
    from hubbub._core import Request
    from hubbub.hub.sessions import Sessions
    from hubbub.hub.transports import Transport


@dataclass(slots=True)
class Subscription:
    """What a client hears."""

    channel: str
    is_server_side: bool = False
    info: bytes = b""
    """What others are told about the client in this channel, as JSON."""

    expires_at_s: float = 0.0
    """When it has to be refreshed; 0: never."""

    has_token: bool = False
    """Whether a token let the client in: nobody else is asked while that is good."""

    is_counted: bool = False
    """Whether the channel is not forgotten because of it."""

    wants_join_leave: bool = False
    wants_delta: bool = False


@dataclass(eq=False, slots=True)
class Client:
    """One connection; a user may have several.

    Attributes:
        id: Its name, which others are shown.
        user: Whose it is; "" for somebody who has not said.
        request: The HTTP request it came with.
        info: What others are told about it, as JSON; empty: nothing.
        data: Yours: what `on_connect` wants to keep.
        asking: JSON that came with the subscription it asks for, while a hook decides; empty: none.
        session: The secret with which commands are posted to a stream; "" for a WebSocket.
    """

    id: str
    number: int
    request: "Request"
    transport: "Transport"
    sessions: "Sessions"
    user: str = ""
    token_user: str | None = None
    """Whom the token it has connected with is for, whatever `on_connect` calls them; None: none."""

    info: bytes = b""
    data: Any = None
    asking: bytes = b""
    session: str = ""
    expires_at_s: float = 0.0
    is_connected: bool = False
    is_closed: bool = False
    is_welcome: bool = False
    """Whether the application has let it in, and is to be told when it is gone."""

    is_leaving: bool = False
    """Whether it was sent away, and what it still says is not heard."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    user_meter: Meter = field(default_factory=Meter)
    # User, info and the channel's info of its last publication, and what was made of them.
    _author_of: tuple[str, bytes, bytes] | None = None
    _author: bytes = b""

    @property
    def subject(self) -> str:
        """Whom its further tokens have to be for."""
        return self.user if self.token_user is None else self.token_user

    @property
    def channels(self) -> tuple[str, ...]:
        """What it is subscribed to."""
        return tuple(self.subscriptions)

    def send(self, data: object) -> None:
        """Sends a message outside any channel; `data` becomes JSON."""
        self.transport.send(wire.push("", "message", {"data": data}))

    def subscribe(self, channel: str, *, info: object = None, data: object = None) -> None:
        """Lets it hear a channel without its asking; nothing happens if it does already.

        Args:
            channel: Its name.
            info: What others are told about the client there; becomes JSON.
            data: What the client is told; becomes JSON.

        Raises:
            Refused: The name is none, or the client has too many subscriptions.
        """
        self.sessions.enrol(
            self,
            channel,
            info=b"" if info is None else wire.encode(info),
            data=b"" if data is None else wire.encode(data),
        )

    def unsubscribe(self, channel: str, end: End = codes.UNSUBSCRIBED) -> None:
        """Ends a subscription and says so; nothing happens if there is none."""
        self.sessions.end(self, channel, end)

    def disconnect(self, why: Disconnected | None = None) -> None:
        """Ends the connection; without a reason, for good."""
        self.sessions.disconnect(self, why or codes.forced())

    def about(self, subscription: Subscription | None = None) -> bytes:
        """Who it is, as others are shown in a channel."""
        chan_info = subscription.info if subscription is not None else b""
        return wire.client_info(self.user, self.id, self.info, chan_info)

    def author(self, subscription: Subscription | None) -> bytes:
        """The same, kept: who publishes once will publish again."""
        of = (self.user, self.info, subscription.info if subscription is not None else b"")
        if of != self._author_of:
            self._author_of, self._author = of, self.about(subscription)
        return self._author
