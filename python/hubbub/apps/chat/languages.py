"""What people say of their languages, checked. What a tag is, is `hubbub.translation`'s."""

from hubbub.apps.chat import refusals
from hubbub.apps.chat.account import LANGS_LIMIT
from hubbub.apps.chat.commands import Person
from hubbub.apps.chat.message import LangSource
from hubbub.translation import BadTag, canonical, detect, first_guess

_DETECTED_LIMIT = 1_000
"""How much of a text is looked at: its language shows in the beginning."""


def checked_tag(tag: str) -> str:
    """A language tag as it is written.

    Raises:
        Refused: It is none.
    """
    try:
        return canonical(tag)
    except BadTag as bad:
        raise refusals.bad(str(bad)) from None


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
    return tuple(first_guess(accept_language)[:LANGS_LIMIT])


def language_of(text: str, said: str, person: Person) -> tuple[str, LangSource]:
    """In what language somebody has said something, and who says so.

    Args:
        text: What was said.
        said: The tag that came with it, if one did.
        person: By whom: what they understand is the prior.

    Raises:
        Refused: The tag is none.
    """
    if said:
        return checked_tag(said), "user"
    own = tuple(dict.fromkeys(filter(None, (person.preferred, *person.langs))))
    found = detect(text[:_DETECTED_LIMIT], own).lang
    if found != "und" or not own:
        return found, "detected"
    return own[0], "profile"
