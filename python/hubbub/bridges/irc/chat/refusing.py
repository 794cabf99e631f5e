"""What the chat refuses, in the words of the front (pure)."""

from collections.abc import Generator
from contextlib import contextmanager

from hubbub.apps.chat.refusals import Refused
from hubbub.bridges.irc.front.face import ChatRefused, Why

_WHY: dict[int, Why] = {
    401: "bad-password",
    403: "not-allowed",
    404: "no-such-room",
    409: "nick-taken",
    413: "too-long",
    429: "slow-down",
}


@contextmanager
def refusing(**otherwise: Why) -> Generator[None]:
    """Turns what the chat raises into what the front understands.

    Args:
        **otherwise: What a code means here, as `_404="no-such-message"`.

    Raises:
        ChatRefused: The chat refuses.
    """
    try:
        yield
    except Refused as refused:
        why = otherwise.get(f"_{refused.code}") or _WHY.get(refused.code, "failed")
        raise ChatRefused(why, refused.message) from None
