"""`hubbub export`: what an app speaks, for programs in other languages."""

from pathlib import Path
from typing import Literal

from hubbub import export as description
from hubbub._core import __version__
from hubbub.cli.load import load
from hubbub.cli.mistake import IMPORT, Mistake
from hubbub.errors import Misuse

Format = Literal["asyncapi", "jsonschema", "typescript"]


def export(form: Format, target: str, /, *, app_dir: Path = Path()) -> None:
    """Print what an app's typed channels and remote procedures speak.

    Parameters
    ----------
    form
        asyncapi, jsonschema or typescript
    target
        FILE.py:app or package.module:app
    app_dir
        Where modules are looked for first.
    """
    app = load(target, app_dir)
    try:
        found = description.describe(app)
    except Misuse as error:
        raise Mistake(f"{target}: {error}", IMPORT) from None
    match form:
        case "asyncapi":
            print(description.async_api(found, target.partition(":")[0], __version__), end="")
        case "jsonschema":
            print(description.json_schema(found), end="")
        case "typescript":
            print(description.typescript(found), end="")
