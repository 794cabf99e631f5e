"""What people say of their languages, checked (pure)."""

import re

from hubbub.apps.chat import refusals
from hubbub.apps.chat.account import LANGS_LIMIT

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def checked_tag(tag: str) -> str:
    """A language tag as it is written.

    Raises:
        Refused: It is none.
    """
    if len(tag) > 64 or not _TAG.fullmatch(tag):
        raise refusals.bad(f"not a language: {tag[:40]!r}")
    return tag


def checked_langs(langs: tuple[str, ...], preferred: str) -> tuple[tuple[str, ...], str]:
    """The languages somebody understands, in order, and the one they prefer.

    Raises:
        Refused: One is none, or there are too many.
    """
    if len(langs) > LANGS_LIMIT:
        raise refusals.bad(f"at most {LANGS_LIMIT} languages")
    understood = tuple(dict.fromkeys(map(checked_tag, langs)))
    first = understood[0] if understood else ""
    return understood, checked_tag(preferred) if preferred else first


def guess(accept_language: str) -> tuple[str, ...]:
    """What a browser says that its user understands."""
    tags = [part.partition(";")[0].strip() for part in accept_language[:1_000].split(",")]
    return tuple(dict.fromkeys(tag for tag in tags if _TAG.fullmatch(tag)))[:LANGS_LIMIT]
