"""Conditional requests: whether a client has already what it asks for (RFC 9110 §13; pure)."""

from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Literal

from hubbub._core import OpenFile, Request

Verdict = Literal[200, 304, 412]
"""To be sent; not changed; not what the client expects."""


def etag(file: OpenFile, coding: str = "") -> str:
    """A strong tag: another file, another length, another moment of change, another tag.

    Args:
        file: The file that is sent.
        coding: How its content is compressed on the way, if it is.
    """
    suffix = f"-{coding}" if coding else ""
    return f'"{file.inode:x}-{file.size:x}-{file.modified_ns:x}{suffix}"'


def last_modified(file: OpenFile) -> str:
    """The moment of the last change, as header fields write it."""
    return formatdate(file.modified_ns // 1_000_000_000, usegmt=True)


def evaluate(request: Request, tag: str, modified_s: int) -> Verdict:
    """What the conditions of a request come to, in the order of §13.2.2.

    Args:
        request: A GET or HEAD.
        tag: The entity tag of what would be sent.
        modified_s: When that was last changed, in seconds since 1970.
    """
    headers = request.headers
    if "if-match" in headers:
        if not _matches(headers.get_all("if-match"), tag, weakly=False):
            return 412
    elif "if-unmodified-since" in headers:
        since = _seconds(headers.get("if-unmodified-since", ""))
        if since is not None and modified_s > since:
            return 412
    if "if-none-match" in headers:
        return 304 if _matches(headers.get_all("if-none-match"), tag, weakly=True) else 200
    if "if-modified-since" in headers:
        since = _seconds(headers.get("if-modified-since", ""))
        if since is not None and modified_s <= since:
            return 304
    return 200


def is_range_wanted(request: Request, tag: str, modified_s: int) -> bool:
    """Whether the part is asked for of what there is now, not of an older state (§13.1.5)."""
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        # A weak tag never proves that bytes are the same.
        return condition.strip() == tag
    return _seconds(condition) == modified_s


def _matches(lines: list[str], tag: str, *, weakly: bool) -> bool:
    for line in lines:
        for element in line.split(","):
            one = element.strip()
            if one == "*":
                return True
            if weakly:
                one = one.removeprefix("W/")
            if one == tag:
                return True
    return False


def _seconds(date: str) -> int | None:
    """A date in seconds since 1970; None for what is none, which is then no condition."""
    try:
        moment = parsedate_to_datetime(date)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
