"""How much one user may do, and one client: limits, and the meters that keep to them (pure).

A rate has a burst of two seconds. Whoever exceeds it is told (111), and sent away for a while
(3013), with all of the user's that come meanwhile, if it does not listen. Being told "no" costs
more than being served: guessing is slow.
"""

from dataclasses import dataclass, fields

from hubbub._core import Pace
from hubbub.errors import Misuse
from hubbub.hub import codes

_BURST_S = 2.0
_MINUTE_S = 60.0
_AWAY_S = 5.0
"""How long a user who did not listen stays away."""

_DENIAL_COST = 20
"""So many commands cost as much as one that was denied."""


@dataclass(frozen=True)
class HubLimits:
    """Limits for each user, and for each client of one; 0: no limit.

    A client that has not said whose it is counts as a user of its own.
    """

    user_connections: int = 512
    """Most connections of one user; beyond it 3504."""

    subscriptions: int = 128
    """Most subscriptions of one client; beyond it 106."""

    command_rate: int = 1_000
    """Commands per second of one client; beyond it 111."""

    user_command_rate: int = 4_000
    """Commands per second of all clients of one user; beyond it 111."""

    publish_rate: int = 500
    """Publications per second of one client; beyond it 111."""

    user_publish_rate: int = 2_000
    """Publications per second of all clients of one user; beyond it 111."""

    user_channel_rate: int = 600
    """Channels per minute that one user may call into being; beyond it 111."""

    channels: int = 1_000_000
    """Most channels that are remembered at a time; beyond it no new ones, 106."""

    def __post_init__(self) -> None:
        """Checks them.

        Raises:
            Misuse: One of them is negative.
        """
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise Misuse(f"expected 0 or more: {field.name}={getattr(self, field.name)}")


class Meter:
    """What one client, or all clients of one user, have used."""

    __slots__ = ("away_until_s", "channels", "clients", "commands", "publications", "refusals")

    def __init__(self) -> None:
        self.clients = 0
        self.away_until_s = 0.0
        self.commands = Pace(_BURST_S)
        self.publications = Pace(_BURST_S)
        self.channels = Pace(_MINUTE_S)
        self.refusals = Pace(_BURST_S)

    def is_idle(self, now_s: float) -> bool:
        """Whether nothing would be different if it were forgotten."""
        if self.clients or self.away_until_s > now_s:
            return False
        paces = (self.commands, self.publications, self.channels)
        return all(pace.until_s <= now_s for pace in paces)


class Meters:
    """The meters of all users.

    Args:
        limits: What they keep to.
    """

    def __init__(self, limits: HubLimits) -> None:
        self.limits = limits
        self._users: dict[str, Meter] = {}
        self._client_s = _each_s(limits.command_rate)
        self._user_s = _each_s(limits.user_command_rate)
        self._publish_s = _each_s(limits.publish_rate)
        self._user_publish_s = _each_s(limits.user_publish_rate)
        self._channel_s = _each_s(limits.user_channel_rate) * _MINUTE_S
        self.refused = 0
        """Commands that were refused because they came too fast."""

        self.sent_away = 0
        """Clients that went on all the same, and were disconnected."""

        self.over_connections = 0
        """Connections beyond the limit for one user."""

        self.denied = 0
        """Commands that were not allowed."""

    def enter(self, user: str, now_s: float) -> Meter:
        """The meter of a user with one more connection.

        Raises:
            Disconnected: It has too many already, or was sent away a moment ago.
        """
        if not user:
            return Meter()
        meter = self._users.get(user)
        if meter is None:
            meter = self._users[user] = Meter()
        if now_s < meter.away_until_s <= now_s + _AWAY_S:
            self.sent_away += 1
            raise codes.flooding()
        limit = self.limits.user_connections
        if limit and meter.clients >= limit:
            self.over_connections += 1
            raise codes.connection_limit()
        meter.clients += 1
        return meter

    def take_over(self, other: "Meters") -> None:
        """Goes on with what others have counted."""
        self._users = other._users
        self.refused, self.sent_away = other.refused, other.sent_away
        self.over_connections, self.denied = other.over_connections, other.denied

    def leave(self, user: str, now_s: float) -> None:
        """A user has a connection less."""
        meter = self._users.get(user)
        if meter is not None:
            meter.clients -= 1
            if meter.is_idle(now_s):
                del self._users[user]

    def command(self, client: Meter, user: Meter, name: str, now_s: float) -> None:
        """Counts a command.

        Raises:
            Refused: It comes too fast.
            Disconnected: So did many before it.
        """
        if not client.commands.take(now_s, self._client_s):
            self._refuse(client, user, self._client_s, now_s)
        if not user.commands.take(now_s, self._user_s):
            self._refuse(user, user, self._user_s, now_s)
        if name != "publish":
            return
        if not client.publications.take(now_s, self._publish_s):
            self._refuse(client, user, self._publish_s, now_s)
        if not user.publications.take(now_s, self._user_publish_s):
            self._refuse(user, user, self._user_publish_s, now_s)

    def of_publication(self, client: Meter, user: Meter) -> list[tuple[Pace, float]]:
        """What `command` takes for a publication: of what, and at which rate."""
        return [
            (client.commands, self._client_s),
            (user.commands, self._user_s),
            (client.publications, self._publish_s),
            (user.publications, self._user_publish_s),
        ]

    def creation(self, client: Meter, user: Meter, channels: int, now_s: float) -> None:
        """Counts a channel that is not there yet; there are so many.

        Raises:
            Refused: The user has made many already, or there are too many.
        """
        if self.limits.channels and channels >= self.limits.channels:
            raise codes.limit_exceeded()
        if not user.channels.take(now_s, self._channel_s):
            self._refuse(client, user, self._client_s, now_s)

    def denial(self, client: Meter, user: Meter, now_s: float) -> None:
        """Lets a command that was not allowed cost as much as many."""
        self.denied += 1
        client.commands.charge(now_s, _DENIAL_COST * self._client_s)
        user.commands.charge(now_s, _DENIAL_COST * self._user_s)

    def sweep(self, now_s: float) -> None:
        """Forgets users who are gone and owe nothing."""
        for user in [user for user, meter in self._users.items() if meter.is_idle(now_s)]:
            del self._users[user]

    def _refuse(self, meter: Meter, user: Meter, each_s: float, now_s: float) -> None:
        self.refused += 1
        if meter.refusals.take(now_s, each_s):
            raise codes.too_many_requests()
        self.sent_away += 1
        user.away_until_s = now_s + _AWAY_S
        raise codes.flooding()


def _each_s(rate: int) -> float:
    return 1.0 / rate if rate else 0.0
