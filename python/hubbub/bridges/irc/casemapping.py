"""Which names are the same although they are written otherwise (pure)."""

from typing import Literal

CaseMapping = Literal["ascii", "rfc1459", "rfc1459-strict"]
"""What a server announces as CASEMAPPING."""

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TABLES = {
    "ascii": str.maketrans(_UPPER, _UPPER.lower()),
    # Scandinavian keyboards: {}|^ are the lower case of []\~.
    "rfc1459": str.maketrans(_UPPER + "[]\\~", _UPPER.lower() + "{}|^"),
    "rfc1459-strict": str.maketrans(_UPPER + "[]\\", _UPPER.lower() + "{}|"),
}


def folded(name: str, mapping: CaseMapping = "ascii") -> str:
    """The name by which two spellings are compared."""
    return name.translate(_TABLES[mapping])


def known(announced: str) -> CaseMapping:
    """The mapping that a server announces; of one that nobody knows, the oldest."""
    match announced:
        case "ascii" | "rfc1459" | "rfc1459-strict":
            return announced
        case _:
            return "rfc1459"
