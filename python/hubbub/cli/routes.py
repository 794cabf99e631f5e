"""`hubbub routes`: what is answered where, without serving it."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from hubbub.app import App
from hubbub.assembly import declarations
from hubbub.cli import configuration
from hubbub.cli.load import load
from hubbub.cli.mistake import IMPORT, Mistake
from hubbub.cli.options import Assigned, ConfigurationFile
from hubbub.config import AppSettings
from hubbub.errors import Misuse


@dataclass(frozen=True)
class Row:
    """One route."""

    method: str
    """An HTTP method; "WS" for a WebSocket."""

    path: str
    """Its pattern, with what it is mounted under."""

    handler: str
    """What it calls: a function for each "message", a coroutine for a "connection", "request"."""

    places: tuple[str, ...]
    """Where that is written, "FILE:LINE"; a channel has a function for each kind of message."""

    app: str
    """The name of the application it belongs to."""

    hosts: tuple[str, ...]
    """The names it answers to; none: every name."""


_HANDLERS = {"message": "message", "websocket": "connection", "http": "request"}


def routes(
    target: str | None = None,
    /,
    *,
    config: ConfigurationFile = None,
    assigned: Assigned = (),
    app_dir: Path = Path(),
    as_json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> None:
    """Print what is answered where, and serve nothing.

    Parameters
    ----------
    target
        FILE.py:app or package.module:app, instead of a configuration.
    app_dir
        Where the target's modules are looked for first.
    as_json
        Print JSON instead of a table.
    """
    if (target is None) == (config is None):
        raise Mistake("expected an app such as chat.py:app, or -c FILE")
    if target is not None:
        settings = AppSettings(target)
        found = list(_routes(load(target, app_dir), settings))
    else:
        loaded = configuration.read(config, assigned)
        apps = configuration.import_apps(loaded, config)
        pairs = zip(apps, loaded.configuration.apps, strict=True)
        found = [row for app, settings in pairs for row in _routes(app, settings)]
    if as_json:
        print(json.dumps([asdict(row) for row in found], indent=2))
    else:
        show(found)


def show(rows: Sequence[Row]) -> None:
    """Prints routes in columns."""
    if sys.stdout.isatty():
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("method", "path", "called for each", "where", "app", "hosts"):
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*_cells(row))
        Console().print(table)
        return
    widths = [
        max((len(cell) for cell in column), default=0)
        for column in zip(*map(_cells, rows), strict=True)
    ]
    for row in rows:
        print(
            "  ".join(
                f"{cell:{width}}" for cell, width in zip(_cells(row), widths, strict=True)
            ).rstrip()
        )


def _cells(row: Row) -> tuple[str, ...]:
    hosts = ", ".join(row.hosts) or "*"
    places = ", ".join(row.places) or "-"
    return row.method, row.path, row.handler, places, row.app, hosts


def _near(place: str) -> str:
    """As short as it is from here."""
    here = f"{Path.cwd()}/"
    return place.removeprefix(here)


def _routes(app: App, settings: AppSettings) -> Iterator[Row]:
    try:
        for one in declarations(app, settings.mount):
            method = one.method if one.kind == "http" else "WS"
            places = tuple(map(_near, one.places))
            yield Row(method, one.path, _HANDLERS[one.kind], places, settings.label, settings.hosts)
    except Misuse as error:
        raise Mistake(f"{settings.import_}: {error}", IMPORT) from None
