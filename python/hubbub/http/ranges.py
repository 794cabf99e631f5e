"""Byte ranges: which parts of a file a request asks for (RFC 9110 §14; pure)."""

import re
from itertools import pairwise

RANGE_LIMIT = 8
"""Most parts at a time; players ask for one, readers of documents for a few."""

_ONE = re.compile(r"([0-9]{0,19})-([0-9]{0,19})", re.ASCII)

Part = tuple[int, int]
"""First byte, and how many."""


class Unsatisfiable(Exception):
    """Nothing of what is asked for is there, or it is asked for in a way that only costs."""


def parts(field: str, size: int) -> list[Part] | None:
    """The parts that a Range field asks for.

    Args:
        field: Its value.
        size: The length of the whole.

    Returns:
        The parts in the order asked; None for a field that means nothing here: it is ignored.

    Raises:
        Unsatisfiable: None of them is there, they are too many, or they overlap.
    """
    unit, equals, spec = field.partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    if spec.count(",") >= RANGE_LIMIT:
        raise Unsatisfiable
    found: list[Part] = []
    for element in spec.split(","):
        match = _ONE.fullmatch(element.strip())
        if match is None or not any(match.groups()):
            return None
        first, last = match.groups()
        if not first:
            length = min(int(last), size)
            start = size - length
        else:
            start = int(first)
            end = min(int(last), size - 1) if last else size - 1
            if last and int(last) < start:
                return None
            length = end - start + 1
        if length > 0 and start < size:
            found.append((start, length))
    if not found:
        raise Unsatisfiable
    ordered = sorted(found)
    if any(a + count > b for (a, count), (b, _) in pairwise(ordered)):
        raise Unsatisfiable
    return found
