"""The settings as flags, made from their declaration: name, help and default stand there once."""

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from typing import Annotated, Any, TypeVar

from cyclopts import Group, Parameter

from hubbub.cli.mistake import Mistake
from hubbub.config import ServerSettings, describe
from hubbub.config.reference import Setting
from hubbub.config.sources import Assignment, Given, Origin, Text

F = TypeVar("F", bound=Callable[..., Any])


_METAVARS = {"": "VALUE", "size": "SIZE", "duration": "TIME"}


def _flags() -> type[Any]:
    group = Group("Settings", sort_key=2)
    rows: list[Any] = []
    for setting in describe(ServerSettings):
        is_switch = setting.kind is bool
        default = f" [default: {setting.default_text}]" if setting.default_text else ""
        parameter = Parameter(
            name=setting.flag,
            negative=_negative(setting) if is_switch else (),
            help=setting.sentence + ("" if is_switch else default),
            group=group,
            metavar=None if is_switch else _METAVARS[setting.unit],
            show_default=False,
        )
        rows.append((setting.name, Annotated[(bool if is_switch else str) | None, parameter], None))
    # By its namespace it is one of ours: cyclopts takes what lives in `types` for a built-in.
    return make_dataclass("Flags", rows, frozen=True, namespace={"__module__": __name__})


def _negative(switch: Setting) -> str:
    return "--no-" + switch.flag.removeprefix("--")


Flags: Any = _flags()
"""A dataclass with a text, or None, for each setting; with true or false, for a switch."""


def with_settings(command: F) -> F:
    """Gives a command one flag for each setting; they arrive as its argument `settings`."""
    command.__annotations__["settings"] = Annotated[Flags, Parameter(name="*")]
    return command


def given(flags: object) -> dict[str, str]:
    """The settings that were set on the command line, as texts."""
    values = {field.name: getattr(flags, field.name) for field in fields(Flags)}
    return {
        name: value if isinstance(value, str) else str(value).lower()
        for name, value in values.items()
        if value is not None
    }


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
    known = {setting.name: setting for setting in describe(ServerSettings)}
    parts: list[str] = []
    for name, text in given(flags).items():
        one = known[name]
        if one.kind is bool:
            parts.append(one.flag if text == "true" else _negative(one))
        else:
            parts += (one.flag, text)
    return parts
