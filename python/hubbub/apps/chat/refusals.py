"""What a client is told when the chat says no: one code for each kind of reason (pure).

The codes are those of HTTP, because the same table serves `POST /api/…`; `PROTOCOL.md` has it.
"""

from hubbub.hub import Refused

__all__ = [
    "Refused",
    "bad",
    "forbidden",
    "nick_taken",
    "no_such",
    "not_signed_in",
    "not_stored",
    "slow_down",
    "taken",
    "too_long",
]


def bad(message: str) -> Refused:
    """What was sent makes no sense."""
    return Refused(400, message)


def not_signed_in(message: str = "sign in first") -> Refused:
    """Nobody knows who this is."""
    return Refused(401, message)


def forbidden(message: str = "you may not do that here") -> Refused:
    """It is known who this is, and they may not."""
    return Refused(403, message)


def no_such(what: str) -> Refused:
    """It does not exist, or the client may not know that it does: the same words for both."""
    return Refused(404, f"there is no such {what}")


def taken(message: str) -> Refused:
    """Somebody else has it already."""
    return Refused(409, message)


def nick_taken() -> Refused:
    """Somebody else is called so, or nearly."""
    return taken("this nick is taken, or looks like one that is")


def too_long(what: str, length: int, limit: int) -> Refused:
    """There is more than may be."""
    return Refused(413, f"{what} has {length:,} characters: at most {limit:,}")


def slow_down(wait_s: float) -> Refused:
    """Too much at once; later it will do."""
    return Refused(429, f"slow down: try again in {max(wait_s, 0.1):.1f} s", temporary=True)


def not_stored(reason: str) -> Refused:
    """The disk did not take it: nobody has heard of it, and it may be sent again."""
    return Refused(507, f"not stored: {reason}", temporary=True)
