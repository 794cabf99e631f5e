"""What a client is told when something cannot be: errors, ends of subscriptions, disconnects.

The numbers are Centrifugo's (client protocol v2): its clients act on them. A disconnect's code is
the close code of the WebSocket; 3500 to 3999 and 4500 to 4999 tell the client to stay away.
"""

from typing import NamedTuple

from hubbub.errors import HubbubError

PERMISSION_DENIED = 103
TOO_MANY_REQUESTS = 111


class Refused(HubbubError):
    """A request was refused: raise it in a hook to answer with an error of your own.

    Attributes:
        code: 100 to 399 are the protocol's; yours begin at 400.
        message: What the client is told.
        temporary: Whether the client may try again.
    """

    def __init__(self, code: int, message: str, *, temporary: bool = False) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.temporary = temporary


class Disconnected(HubbubError):
    """The client has to go: raise it in a hook, or give it to `Client.disconnect`.

    Attributes:
        code: 3000 to 3499 and 4000 to 4499: it may come back.
        reason: What it is told.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason

    @property
    def reconnect(self) -> bool:
        """Whether the client will come back."""
        return not (3500 <= self.code < 4000 or 4500 <= self.code < 5000)


class End(NamedTuple):
    """Why the server ends a subscription; from 2500 on the client subscribes anew."""

    code: int
    reason: str


def internal() -> Refused:
    """Something is wrong on our side."""
    return Refused(100, "internal server error", temporary=True)


def unauthorized() -> Refused:
    """The client has not said who it is."""
    return Refused(101, "unauthorized")


def unknown_channel() -> Refused:
    """There is no such channel, or nobody may know of it."""
    return Refused(102, "unknown channel")


def permission_denied() -> Refused:
    """The client may not do that there."""
    return Refused(PERMISSION_DENIED, "permission denied")


def method_not_found() -> Refused:
    """There is no such remote procedure."""
    return Refused(104, "method not found")


def already_subscribed() -> Refused:
    """The client is subscribed to this channel."""
    return Refused(105, "already subscribed")


def limit_exceeded() -> Refused:
    """There are too many of something."""
    return Refused(106, "limit exceeded")


def bad_request() -> Refused:
    """The request makes no sense."""
    return Refused(107, "bad request")


def not_available() -> Refused:
    """The channel does not do that."""
    return Refused(108, "not available")


def token_expired() -> Refused:
    """The token was good once: the client fetches a new one."""
    return Refused(109, "token expired")


def expired() -> Refused:
    """What was to be refreshed has run out already."""
    return Refused(110, "expired")


def too_many_requests() -> Refused:
    """The client asks too often."""
    return Refused(TOO_MANY_REQUESTS, "too many requests", temporary=True)


def unrecoverable_position() -> Refused:
    """The history does not reach back to this position."""
    return Refused(112, "unrecoverable position")


def shutdown() -> Disconnected:
    """The server stops."""
    return Disconnected(3001, "shutdown")


def session_expired() -> Disconnected:
    """The client did not refresh in time."""
    return Disconnected(3005, "expired")


def flooding() -> Disconnected:
    """The client was told that it asks too often, and went on."""
    return Disconnected(3013, "too many requests")


def invalid_token() -> Disconnected:
    """The token is no token of ours."""
    return Disconnected(3500, "invalid token")


def bad_protocol() -> Disconnected:
    """What was received is none of the protocol's."""
    return Disconnected(3501, "bad request")


def stale() -> Disconnected:
    """No connect came."""
    return Disconnected(3502, "stale")


def forced() -> Disconnected:
    """The application ends the connection."""
    return Disconnected(3503, "force disconnect")


def connection_limit() -> Disconnected:
    """The user has too many connections already."""
    return Disconnected(3504, "connection limit")


def forbidden() -> Disconnected:
    """The client may not be here."""
    return Disconnected(3507, "permission denied")


INSUFFICIENT = End(2500, "insufficient state")
SUBSCRIPTION_EXPIRED = End(2501, "subscription expired")
NO_LONGER_ALLOWED = End(2003, "permission denied")
UNSUBSCRIBED = End(2000, "server unsubscribe")
