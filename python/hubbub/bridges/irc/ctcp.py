"""CTCP: what stands between two 0x01 in a message, such as what somebody does (pure)."""

from dataclasses import dataclass

DELIMITER = "\x01"


@dataclass(frozen=True)
class Ctcp:
    """A message that is none of words alone."""

    command: str
    """In upper case: "ACTION", "VERSION"."""

    text: str = ""


def parse(text: str) -> Ctcp | None:
    """Reads a message; None if it is an ordinary one. The last 0x01 may be missing."""
    if not text.startswith(DELIMITER):
        return None
    inside = text[1:].partition(DELIMITER)[0]
    command, _, rest = inside.partition(" ")
    return Ctcp(command.upper(), rest) if command else None


def encode(message: Ctcp) -> str:
    """Writes one; what would end it early is left out."""
    rest = message.text.replace(DELIMITER, "")
    return f"{DELIMITER}{message.command}{' ' if rest else ''}{rest}{DELIMITER}"


def action(text: str) -> str:
    """What somebody does: "/me waves"."""
    return encode(Ctcp("ACTION", text))
