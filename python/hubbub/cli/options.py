"""What several commands take: the configuration file, and single values over it."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

ConfigurationFile: TypeAlias = Annotated[
    Path | None,
    Parameter(
        name=["--config", "-c"], help="TOML file, see docs/configuration.md.", metavar="FILE"
    ),
]
"""The file; None: the defaults."""

Assigned: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        help="One value over the file's, such as server.threads=2; may be repeated.",
        metavar="KEY=VALUE",
        negative=(),
        show_default=False,
    ),
]
"""The values of `--set`, in their order."""
