"""`hubbub status`: how a running server is, once."""

import json
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hubbub.cli.options import ConfigurationFile
from hubbub.cli.picture import picture
from hubbub.cli.rates import Rates
from hubbub.cli.remote import AdminPlace, find


def status(
    *,
    admin: AdminPlace = None,
    config: ConfigurationFile = None,
    connections: int = 0,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Show how a running server is; rates are averages since its start.

    Parameters
    ----------
    connections
        Show this many of the largest connections.
    as_json
        Print all there is, for programs.
    """
    remote = find(admin, config)
    page = remote.get(f"/status?connections={connections}")
    if as_json:
        print(json.dumps(page, indent=2))
    else:
        Console().print(picture(page, Rates.between(None, page), name=remote.name))
