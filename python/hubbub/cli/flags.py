"""The settings as flags, made from their declaration: name, help and default stand there once."""

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from typing import Annotated, Any, TypeVar

from cyclopts import Group, Parameter

from hubbub.cli.mistake import Mistake
from hubbub.config import ServerSettings, describe
from hubbub.config.sources import Assignment, Given, Origin, Text

F = TypeVar("F", bound=Callable[..., Any])


_METAVARS = {"": "VALUE", "size": "SIZE", "duration": "TIME"}


def _flags() -> type[Any]:
    group = Group("Settings", sort_key=2)
    rows: list[Any] = []
    for setting in describe(ServerSettings):
        default = f" [default: {setting.default_text}]" if setting.default_text else ""
        parameter = Parameter(
            name=setting.flag,
            help=setting.sentence + default,
            group=group,
            metavar=_METAVARS[setting.unit],
            show_default=False,
        )
        rows.append((setting.name, Annotated[str | None, parameter], None))
    # By its namespace it is one of ours: cyclopts takes what lives in `types` for a built-in.
    return make_dataclass("Flags", rows, frozen=True, namespace={"__module__": __name__})


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


def assignments(flags: object) -> list[Assignment]:
    """The settings that were set, as values over a configuration file."""
    texts = given(flags)
    return [
        (("server", *one.inside, one.key), Given(Text(texts[one.name]), Origin(one.flag)))
        for one in describe(ServerSettings)
        if one.name in texts
    ]


def arguments(flags: object) -> list[str]:
    """The same flags again, for the command line of a child."""
    spelled = {setting.name: setting.flag for setting in describe(ServerSettings)}
    return [part for name, text in given(flags).items() for part in (spelled[name], text)]
