"""What a message of the chat says, for those who see but text (pure)."""

import re
from collections.abc import Callable

from hubbub.apps.chat.message import Message

_EXCERPT_LIMIT = 40
_ADDRESSED = re.compile(r"([A-Za-z0-9_|\[\]{}\\^`-]+)([:,])(?=\s)")


def text_of(message: Message, text: str, answered: str = "") -> str:
    """A text with all that belongs to it and is none.

    Args:
        message: The message.
        text: What it says.
        answered: The nick of whom it is a reply to.
    """
    whole = with_files(message, text)
    if message.via is not None and "·" not in message.nick:
        # A bridge's people have nicks of their own, with "·"; others are spoken for.
        whole = f"<{message.via.name}> {whole}"
    if answered and message.kind == "text" and not _begins_with(whole, answered):
        # Where no client points at what is answered, its author is named: as IRC has always done.
        quotes = whole.startswith((">", "```"))
        whole = f"{answered}:\n{whole}" if quotes else f"{answered}: {whole}"
    return whole


def with_files(message: Message, text: str) -> str:
    """A text, and behind it the names and addresses of a message's files."""
    parts = [text] if text else []
    parts += [f"{file.name} {file.url}" for file in message.files]
    return "\n".join(parts)


def excerpt(text: str) -> str:
    """How a text begins."""
    words = " ".join(text.split())
    return words if len(words) <= _EXCERPT_LIMIT else words[: _EXCERPT_LIMIT - 1].rstrip() + "…"


def addressed(text: str, nick_of: Callable[[str], str | None]) -> str:
    """What somebody on IRC says to "ada:", so that the chat knows whom they mean.

    Args:
        text: In the inline format.
        nick_of: The chat's nick of a member, by the one of IRC; None: nobody there is called so.
    """
    found = _ADDRESSED.match(text)
    nick = nick_of(found[1]) if found is not None else None
    return f"@{nick}{text[found.end(1) :]}" if found is not None and nick is not None else text


def _begins_with(text: str, nick: str) -> bool:
    return text.lower().lstrip("@").startswith(nick.lower())
