"""Settings as data: what a loader, a command line and a reference page need of a declaration.

Reads the sentences below the fields from the source, where they stand once.
"""

import ast
import inspect
import textwrap
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from hubbub.config.units import duration_text, size_text


@dataclass(frozen=True)
class Setting:
    """One declared setting."""

    name: str
    """The field's name, unit last."""

    kind: object
    """The field's type."""

    default: Any
    """What holds when nothing is said."""

    sentence: str
    """What it does."""

    flag: str
    """How the command line spells it."""

    @property
    def default_text(self) -> str:
        """The default as people write it: "1MiB", "30s"."""
        if self.name.endswith("_bytes"):
            return size_text(self.default)
        if self.name.endswith("_s"):
            return duration_text(self.default)
        return str(self.default)


@cache
def describe(declaration: type[Any]) -> tuple[Setting, ...]:
    """The settings that a dataclass declares, in their order."""
    sentences = _sentences(declaration)
    return tuple(
        Setting(
            name=field.name,
            kind=field.type,
            default=field.default,
            sentence=sentences[field.name],
            flag=field.metadata.get("flag", _flag(field.name)),
        )
        for field in fields(declaration)
    )


def _flag(name: str) -> str:
    """`outbox_limit_bytes` → `--outbox-limit`: the value says its unit itself."""
    return "--" + name.removesuffix("_bytes").removesuffix("_s").replace("_", "-")


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
