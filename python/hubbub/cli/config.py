"""`hubbub config`: what a configuration can say, as an example file and as a page to read."""

from typing import Any

import cyclopts

from hubbub.config import pages


def example() -> None:
    """Print a configuration file with every key, its default and what it does."""
    print(pages.example(), end="")


def reference() -> None:
    """Print the reference page, docs/configuration.md."""
    print(pages.reference(), end="")


commands: Any = cyclopts.App(
    name="config",
    help="Print what a configuration can say.",
    help_format="plaintext",
    result_action="return_value",
)
commands.command(example)
commands.command(reference)
