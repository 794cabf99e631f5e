"""The table of wrong configuration files, tests/vectors/configurations.txt, read."""

import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "vectors" / "configurations.txt"
_CASE = re.compile(r"^### ([^\n]+)\n(.*?)^---\n(.*?)(?=\n### |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class WrongFile:
    """One of them.

    Attributes:
        name: What is wrong with it.
        text: What is in it; it is called `hubbub.toml`.
        message: What is said of it.
    """

    name: str
    text: str
    message: str


def wrong_files() -> list[WrongFile]:
    found = _CASE.findall(TABLE.read_text(encoding="utf-8"))
    return [WrongFile(name, text, message.strip("\n")) for name, text, message in found]
