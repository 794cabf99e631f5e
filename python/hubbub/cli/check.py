"""`hubbub check`: everything that `hubbub serve` tests before it binds an address."""

import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from hubbub.cli import configuration
from hubbub.cli.options import Assigned, ConfigurationFile
from hubbub.config import Configuration
from hubbub.config.listing import Row, rows


def check(
    *,
    config: ConfigurationFile = None,
    assigned: Assigned = (),
    show_origin: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    imports: Annotated[bool, Parameter(name="--import", negative="--no-import")] = True,
) -> None:
    """Say what is wrong with a configuration, and serve nothing.

    Parameters
    ----------
    show_origin
        Print every value that holds, and who said so.
    imports
        Import the applications, too, as serving them would.
    """
    loaded = configuration.read(config, assigned)
    if imports:
        configuration.import_apps(loaded, config)
    if show_origin:
        show(list(rows(loaded)))
    else:
        print(f"{config or 'the defaults'}: ok: {summary(loaded.configuration)}")


def summary(configuration: Configuration) -> str:
    """In a few words, what would be served where."""
    listeners = [
        one.bind + (" with TLS" if one.tls is not None else "") for one in configuration.listen
    ]
    apps = [f"{app.label} at {app.mount}" for app in configuration.apps]
    return f"{', '.join(apps) or 'the chat'}; on {', '.join(listeners)}"


def show(table: Sequence[Row]) -> None:
    """Prints values: as a table on a terminal, and as other programs can read them elsewhere."""
    if sys.stdout.isatty():
        shown = Table("key", "value", "from", box=None, pad_edge=False, header_style="dim")
        for row in table:
            is_default = row.origin == "default"
            shown.add_row(row.key, row.value, row.origin, style="dim" if is_default else "")
        Console().print(shown)
        return
    keys = max(len(row.key) for row in table)
    values = max(len(row.value) for row in table)
    for row in table:
        print(f"{row.key:{keys}} = {row.value:{values}}  # {row.origin}")
