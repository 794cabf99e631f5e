"""The example file and the reference page, written from the declarations (pure).

`hubbub config example` and `hubbub config reference` print them; the ones in the repository are
compared with them by a test.
"""

import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal, get_args, get_origin

from hubbub.config.declare import REQUIRED
from hubbub.config.file import Configuration
from hubbub.config.listing import written
from hubbub.config.reference import Setting, describe
from hubbub.config.settings import SECTIONS
from hubbub.config.values import optional, shown

_WIDTH = 96

_EXAMPLE = """\
# A configuration of Hubbub with every key there is. Written by `hubbub config example`; each of
# them, with its bounds, is in docs/configuration.md.
#
#     hubbub check -c hubbub.toml        says what is wrong with it
#     hubbub serve -c hubbub.toml        serves what it names
#
# What is commented out is what holds without it, or an example where nothing does. Sizes are
# written "64KiB" or "1MiB", durations "250ms", "30s" or "5min". Relative paths start from the
# folder of this file.
"""

_REFERENCE = """\
# Configuration

Every key of a configuration file. This page is written by `hubbub config reference`, and
`hubbub config example` prints a file with all of them, [hubbub.toml](hubbub.toml).

```
hubbub serve -c hubbub.toml                     # serve what the file names
hubbub check -c hubbub.toml                     # say what is wrong with it, and serve nothing
hubbub check -c hubbub.toml --show-origin       # every value that holds, and who said so
```

**Who comes first.** A flag such as `--threads 2`, then `--set server.threads=2`, then the
environment, `HUBBUB__SERVER__THREADS=2`, then the file, then the default. `--set` and the
environment reach every key; items of lists have numbers: `--set listen.0.bind=127.0.0.1:9000`,
`HUBBUB__LISTEN__0__BIND=127.0.0.1:9000`. Their values are written as in the file, and texts need no
quotes: `--set log.level=debug`, `--set 'app.0.hosts=["example.org"]'`.

**Units.** A size is `"512B"`, `"64KiB"`, `"1MiB"` (powers of 1024) or `"64kB"`, `"1MB"` (powers of
1000); a bare number counts bytes. A duration is `"250ms"`, `"30s"`, `"5min"`, `"2h"` or `"1d"`; a
bare number counts seconds. Sizes end at 1TiB, durations at 365d.

**Paths** in a file start from the folder of that file, those of `--set` and the environment from
the folder in which the command runs.

**Secrets** are better kept elsewhere: in a file of their own (`token_file`), or in the environment
(`HUBBUB__ADMIN__TOKEN`). No command prints them.

**Mistakes** are told all at once, with file and line, the key, what was expected and what was
found, before anything is bound or started. The exit code is 2 for a wrong configuration, 3 for an
application that cannot be imported or started, and 4 for an address that cannot be bound.

```
hubbub: hubbub.toml:7: server.limits.message_limit: expected a size such as "1MiB": found "big"
```
"""


@dataclass(frozen=True)
class Section:
    """One table of the file."""

    header: str
    """As it stands there: "[server.limits]", "[[listen]]"."""

    about: str
    """What it is about."""

    settings: tuple[Setting, ...]
    """Its keys."""

    changes_nothing: bool
    """Whether it may be there without any key, and nothing is different then."""


def sections() -> Iterator[Section]:
    """All there are, in their order."""
    for setting in describe(Configuration):
        yield from _sections(setting, setting.key)


def example() -> str:
    """A file with every key, commented out where it says what holds anyway."""
    parts = [_EXAMPLE]
    for section in sections():
        lines = _comment(section.about)
        lines.append(("" if section.changes_nothing else "#") + section.header)
        for setting in section.settings:
            lines += ["", *_comment(setting.sentence), f"#{setting.key} = {_example(setting)}"]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def reference() -> str:
    """A page with every key: what it takes, what holds without it, what it does."""
    parts = [_REFERENCE]
    for section in sections():
        lines = [f"## `{section.header}`", "", section.about, ""]
        lines += ["| key | takes | default | |", "|---|---|---|---|"]
        for setting in section.settings:
            cells = (f"`{setting.key}`", _takes(setting), _default(setting), setting.sentence)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _sections(setting: Setting, path: str) -> Iterator[Section]:
    kind = optional(setting.kind)
    is_list = get_origin(kind) is tuple
    declaration: type[Any] = get_args(kind)[0] if is_list else kind
    settings = describe(declaration)
    about = (inspect.getdoc(declaration) or "").partition("\n")[0]
    for inside in dict.fromkeys(one.inside for one in settings):
        name = ".".join((path, *inside))
        yield Section(
            header=f"[[{name}]]" if is_list else f"[{name}]",
            about=SECTIONS.get(name, about),
            settings=tuple(
                one for one in settings if one.inside == inside and not _is_section(one)
            ),
            changes_nothing=setting.default not in (None, ())
            and all(one.default is not REQUIRED for one in settings),
        )
    for one in settings:
        if _is_section(one):
            yield from _sections(one, f"{path}.{one.key}")


def _is_section(setting: Setting) -> bool:
    kind = optional(setting.kind)
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return isinstance(kind, type) and is_dataclass(kind)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _example(setting: Setting) -> str:
    """What holds; an example, where that would say nothing."""
    if setting.default is REQUIRED or (setting.hint and not setting.default):
        if get_origin(setting.kind) is Mapping:
            return setting.hint
        return shown([setting.hint] if get_origin(setting.kind) is tuple else setting.hint)
    return written(setting, setting.default)


def _takes(setting: Setting) -> str:
    kind: Any = setting.kind
    if get_origin(kind) is Literal:
        return ", ".join(f'`"{word}"`' for word in get_args(kind))
    if setting.unit:
        return setting.unit
    if kind in (int, float):
        low, high = setting.between
        number = f"{low} to {high}" if setting.has_own_bounds else "number"
        return number + (', `"auto"`' if setting.auto is not None else "")
    if kind is bool:
        return "`true`, `false`"
    if get_origin(kind) is tuple:
        return "list of texts"
    if get_origin(kind) is Mapping:
        return "table"
    return "path" if setting.path == "file" else "text"


def _default(setting: Setting) -> str:
    if setting.default is REQUIRED:
        return "must be given"
    return f"`{written(setting, setting.default)}`"
