"""Names that sort by time (ULID), and names nobody can guess (pure; the dice come in)."""

from collections.abc import Callable

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_TIME_BITS = 48
LENGTH = 26


class Ulids:
    """Makes ids of 26 characters, each greater than the one before.

    Args:
        random_bits: The dice: so many random bits as a number.
    """

    def __init__(self, random_bits: Callable[[int], int]) -> None:
        self._random_bits = random_bits
        self._last = 0

    def next(self, now_ms: int) -> str:
        """An id for this moment, or just above the last one if the clock stands or goes back."""
        made = now_ms << _RANDOM_BITS | self._random_bits(_RANDOM_BITS)
        if made >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
            made = self._last + 1
        self._last = made
        return encode(made)


def encode(number: int) -> str:
    """A number of 128 bits in Crockford's base 32."""
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def first_at(time_ms: int) -> str:
    """The least id of a moment: all that are older are less."""
    return encode(max(time_ms, 0) % (1 << _TIME_BITS) << _RANDOM_BITS)


def opaque(prefix: str, random_bits: Callable[[int], int]) -> str:
    """A short name that says nothing: 60 random bits."""
    number = random_bits(60)
    return prefix + "".join(_DIGITS[number >> shift & 31] for shift in range(55, -1, -5)).lower()
