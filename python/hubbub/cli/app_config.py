"""`--app-config KEY=VALUE`: what an app wants to know, said on the command line."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter

from hubbub.cli.mistake import Mistake
from hubbub.config.sources import Given, Origin, from_set, overlay, plain

AppConfig: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        name="--app-config",
        help="A value of the app's own configuration, such as irc.enabled=true; may be repeated.",
        metavar="KEY=VALUE",
        negative=(),
        show_default=False,
    ),
]
"""The values, in their order."""


def app_config(arguments: Iterable[str]) -> Mapping[str, Any]:
    """The table that they make, as `[app.config]` would hold it; what its texts mean, the app says.

    Raises:
        Mistake: One is no KEY=VALUE, or there is no place for it.
    """
    root = Given({}, Origin("--app-config"))
    assignments, mistakes = from_set(arguments)
    mistakes += overlay(root, assignments)
    if mistakes:
        raise Mistake(f"--app-config: {mistakes[0].text}")
    table = plain(root)
    return table if isinstance(table, dict) else {}
