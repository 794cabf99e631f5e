"""How people of other networks are called in the chat (pure): "ada·w3c"."""

import unicodedata

from hubbub.apps.chat.nick import NICK_LIMIT

_KEPT = frozenset("_-.'")
NOBODY = "someone"


def shown(name: str, label: str, number: int = 1) -> str:
    """A nick of the chat for somebody on a remote.

    Args:
        name: What they are called there.
        label: From where they come.
        number: Which of several who would be called the same.
    """
    tail = f"{f'-{number}' if number > 1 else ''}·{label}"
    letters = [
        one if unicodedata.category(one)[0] in "LN" or one in _KEPT else "_"
        for one in unicodedata.normalize("NFKC", name)
    ]
    kept = unicodedata.normalize("NFKC", "".join(letters)).strip("_") or NOBODY
    return kept[: NICK_LIMIT - len(tail)] + tail
