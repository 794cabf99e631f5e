"""Settings as data: what a loader, a command line and a reference page need of a declaration.

Reads the sentences below the fields from the source, where they stand once.
"""

import ast
import inspect
import textwrap
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any

from hubbub.config.declare import REQUIRED
from hubbub.config.units import duration_text, size_text


@dataclass(frozen=True)
class Setting:
    """One declared setting."""

    name: str
    """The field's name, unit last."""

    kind: object
    """The field's type."""

    default: Any
    """What holds when nothing is said; `REQUIRED`, if something must be."""

    sentence: str
    """What it does."""

    flag: str
    """How the command line spells it."""

    key: str
    """How TOML spells it: the name without its unit, since values carry theirs."""

    section: str
    """Its TOML section, where a class is spread over several."""

    between: tuple[int, int] | None
    """The least and the greatest value."""

    hint: str
    """An example of a text that it takes."""

    is_secret: bool
    """Whether it is never printed."""

    @property
    def default_text(self) -> str:
        """The default as people write it: "1MiB", "30s"; nothing, if there is none."""
        if self.default is REQUIRED:
            return ""
        if self.name.endswith("_bytes"):
            return size_text(self.default)
        if self.name.endswith("_s"):
            return duration_text(self.default)
        return str(self.default)


@cache
def describe(declaration: type[Any]) -> tuple[Setting, ...]:
    """The settings that a dataclass declares, in their order."""
    sentences = _sentences(declaration)
    return tuple(_setting(field, sentences[field.name]) for field in fields(declaration))


def _setting(field: "Field[Any]", sentence: str) -> Setting:
    told = field.metadata
    bare = field.name.removesuffix("_bytes").removesuffix("_s")
    return Setting(
        name=field.name,
        kind=field.type,
        default=_default(field),
        sentence=sentence,
        flag=told.get("flag") or "--" + bare.replace("_", "-"),
        key=told.get("key") or bare,
        section=told.get("section", ""),
        between=told.get("between"),
        hint=told.get("hint", ""),
        is_secret=told.get("is_secret", False),
    )


def _default(field: "Field[Any]") -> Any:
    if field.default is not MISSING:
        return field.default
    return REQUIRED if field.default_factory is MISSING else field.default_factory()


def _sentences(declaration: type[Any]) -> dict[str, str]:
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
