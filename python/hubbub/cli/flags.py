"""The settings as flags, made from their declaration: name, help and default stand there once."""

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from typing import Annotated, Any, TypeVar

from cyclopts import Group, Parameter

from hubbub.cli.mistake import Mistake
from hubbub.config import ServerSettings, describe

F = TypeVar("F", bound=Callable[..., Any])


def _flags() -> type[Any]:
    group = Group("Settings", sort_key=2)
    rows: list[Any] = []
    for setting in describe(ServerSettings):
        sentence = f"{setting.sentence} [default: {setting.default_text}]"
        parameter = Parameter(
            name=setting.flag,
            help=sentence,
            group=group,
            metavar=_metavar(setting.name),
            show_default=False,
        )
        rows.append((setting.name, Annotated[str | None, parameter], None))
    # By its namespace it is one of ours: cyclopts takes what lives in `types` for a built-in.
    return make_dataclass("Flags", rows, frozen=True, namespace={"__module__": __name__})


def _metavar(name: str) -> str:
    return "SIZE" if name.endswith("_bytes") else "TIME" if name.endswith("_s") else "VALUE"


Flags: Any = _flags()
"""A dataclass with a text, or None, for each setting."""


def with_settings(command: F) -> F:
    """Gives a command one flag for each setting; they arrive as its argument `settings`."""
    command.__annotations__["settings"] = Annotated[Flags, Parameter(name="*")]
    return command


def given(flags: object) -> dict[str, str]:
    """The settings that were set on the command line, as texts."""
    texts = {field.name: getattr(flags, field.name) for field in fields(Flags)}
    return {name: text for name, text in texts.items() if text is not None}


def parsed(flags: object) -> ServerSettings:
    """The settings.

    Raises:
        Mistake: A text is not of its setting's unit.
    """
    try:
        return ServerSettings.parse(given(flags))
    except ValueError as error:
        name, _, problem = str(error).partition(":")
        flag = next((one.flag for one in describe(ServerSettings) if one.name == name), name)
        raise Mistake(f"{flag}:{problem}") from None


def arguments(flags: object) -> list[str]:
    """The same flags again, for the command line of a child."""
    spelled = {setting.name: setting.flag for setting in describe(ServerSettings)}
    return [part for name, text in given(flags).items() for part in (spelled[name], text)]
