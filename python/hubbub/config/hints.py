"""What to say of a key that there is not: most likely which one was meant (pure)."""

import difflib
from collections.abc import Iterable
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from hubbub.config.document import Path, dotted
from hubbub.config.file import Configuration
from hubbub.config.reference import Setting, describe
from hubbub.config.values import optional

_ALIKE = 0.75
"""How alike two words must be (`difflib`) for one to be a slip of the other."""

_MEANT = {
    "address": "bind in [[listen]]",
    "host": "bind in [[listen]], or hosts in [[app]]",
    "port": 'bind in [[listen]], such as "127.0.0.1:8000"',
    "ssl": "tls in [[listen]]",
    "certfile": "cert in the tls of a [[listen]]",
    "keyfile": "key in the tls of a [[listen]]",
    "path": "mount in [[app]]",
    "prefix": "mount in [[app]]",
    "module": "import in [[app]]",
    "workers": "server.threads",
    "debug": "log.level",
}
"""What others call it."""


def unknown_key(path: Path, known: Iterable[str], *, is_table: bool) -> str:
    """Which key was meant; if that cannot be told, which there are."""
    key = str(path[-1])
    told = "no such section" if is_table else "no such key"
    if near := difflib.get_close_matches(key, known, n=1, cutoff=_ALIKE):
        return f"{told}: did you mean {near[0]}?"
    if meant := _MEANT.get(key):
        return f"{told}: did you mean {meant}?"
    everywhere = {place[-1]: place for place in reversed(_places(Configuration))}
    if far := difflib.get_close_matches(key, everywhere, n=1, cutoff=_ALIKE):
        return f"{told}: did you mean {dotted(everywhere[far[0]])}?"
    return f"{told}: expected one of {', '.join(known)}"


def _places(declaration: type[Any]) -> list[tuple[str, ...]]:
    """Every key that can be written below a declaration, with the sections around it."""
    return [
        (*setting.inside, setting.key, *below)
        for setting in describe(declaration)
        for below in _below(setting)
    ]


def _below(setting: Setting) -> list[tuple[str, ...]]:
    kind: Any = optional(setting.kind)
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return [(), *_places(kind)] if isinstance(kind, type) and is_dataclass(kind) else [()]
