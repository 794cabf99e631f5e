"""Settings as data: what a loader, a command line and a reference page need of a declaration.

Reads the sentences below the fields from the source, where they stand once.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, cast

from hubbub.config.declare import REQUIRED, PathKind
from hubbub.config.units import DURATION_MAX_S, SIZE_MAX_BYTES, Unit, duration_text, size_text

COUNT_MAX = 2**31 - 1
"""No server counts further, and every native integer holds it."""

_BOUNDS: dict[Unit, tuple[int, int]] = {
    "": (0, COUNT_MAX),
    "size": (0, SIZE_MAX_BYTES),
    "duration": (0, DURATION_MAX_S),
}


@dataclass(frozen=True)
class Setting:
    """One declared setting."""

    name: str
    """The field's name, unit last."""

    kind: object
    """The field's type."""

    default: Any
    """What holds when nothing is said; `REQUIRED`, if something must be."""

    owner: type[Any]
    """The dataclass that declares it."""

    flag: str
    """How the command line spells it."""

    key: str
    """How TOML spells it: the name without its unit, since values carry theirs."""

    section: str
    """Its TOML section, where a class is spread over several."""

    unit: Unit
    """What a number counts."""

    between: tuple[int, int]
    """The least and the greatest value of a number."""

    has_own_bounds: bool
    """Whether those are its own, not those of its unit."""

    auto: Callable[[], int] | None
    """What the word "auto" stands for, if it may be said."""

    path: PathKind
    """Whether it names a file."""

    hint: str
    """An example of a text that it takes."""

    is_secret: bool
    """Whether it is never printed."""

    @property
    def sentence(self) -> str:
        """What it does: the docstring below it, looked up when somebody wants to know."""
        sentences = _sentences.get(self.owner)
        if sentences is None:
            sentences = _sentences[self.owner] = _docstrings(self.owner)
        return sentences[self.name]

    @property
    def inside(self) -> tuple[str, ...]:
        """The parts of its section below its class's own: "server.limits" → ("limits",)."""
        return tuple(self.section.split(".")[1:])

    @property
    def default_text(self) -> str:
        """The default as people write it: "1MiB", "30s"; nothing, if there is none."""
        if self.default is REQUIRED:
            return ""
        if self.unit == "size":
            return size_text(self.default)
        if self.unit == "duration":
            return duration_text(self.default)
        if isinstance(self.default, tuple):
            several = cast("tuple[object, ...]", self.default)
            return ",".join(map(str, several)) or "none"
        return str(self.default)


_described: dict[type[Any], tuple[Setting, ...]] = {}


def describe(declaration: type[Any]) -> tuple[Setting, ...]:
    """The settings that a dataclass declares, in their order."""
    settings = _described.get(declaration)
    if settings is None:
        settings = tuple(_setting(declaration, field) for field in fields(declaration))
        _described[declaration] = settings
    return settings


def subsections(declaration: type[Any], inside: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The sections of a class directly below one of them."""
    depth = len(inside)
    below = [
        one.inside[depth]
        for one in describe(declaration)
        if len(one.inside) > depth and one.inside[:depth] == inside
    ]
    return tuple(dict.fromkeys(below))


def _setting(owner: type[Any], field: "Field[Any]") -> Setting:
    told = field.metadata
    unit = _unit(field.name)
    bare = field.name.removesuffix("_bytes")
    if unit == "duration":
        bare = bare.removesuffix("_s")
    return Setting(
        name=field.name,
        kind=field.type,
        default=_default(field),
        owner=owner,
        flag=told.get("flag") or "--" + bare.replace("_", "-"),
        key=told.get("key") or bare,
        section=told.get("section", ""),
        unit=unit,
        between=told.get("between") or _BOUNDS[unit],
        has_own_bounds=told.get("between") is not None,
        auto=told.get("auto"),
        path=told.get("path", ""),
        hint=told.get("hint", ""),
        is_secret=told.get("is_secret", False),
    )


def _unit(name: str) -> Unit:
    """By the end of the name; "_per_s" is a rate, which is a plain number."""
    if name.endswith("_bytes"):
        return "size"
    return "duration" if name.endswith("_s") and not name.endswith("_per_s") else ""


def _default(field: "Field[Any]") -> Any:
    if field.default is not MISSING:
        return field.default
    return REQUIRED if field.default_factory is MISSING else field.default_factory()


_sentences: dict[type[Any], dict[str, str]] = {}


def _docstrings(declaration: type[Any]) -> dict[str, str]:
    """The docstring below each field. Python drops them, so the source is read again."""
    module = ast.parse(textwrap.dedent(inspect.getsource(declaration)))
    body = module.body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class is a class
    sentences: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    sentences[field.target.id] = inspect.cleandoc(text)
                case _:
                    raise TypeError(f"a setting without a sentence: {field.target.id}")
    return sentences
