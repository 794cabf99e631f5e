"""CAP: what a client may ask for, and what it has (IRCv3 capability negotiation; pure)."""

from collections.abc import Iterable, Mapping

OFFERED: Mapping[str, str] = {
    "account-notify": "",
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "draft/chathistory": "",
    "draft/message-redaction": "",
    "echo-message": "",
    "extended-join": "",
    "invite-notify": "",
    "labeled-response": "",
    "message-tags": "",
    "multi-prefix": "",
    "sasl": "PLAIN",
    "server-time": "",
    "standard-replies": "",
    "userhost-in-names": "",
}
"""Capabilities, with their values."""

_LINE_ROOM_BYTES = 400


def listed(names: Iterable[str], *, values: bool) -> list[str]:
    """The capabilities as the lines of CAP LS have them, none too long.

    Args:
        names: Which.
        values: Whether the client knows of values (302).
    """
    lines: list[str] = []
    line = ""
    for name in names:
        value = OFFERED.get(name, "")
        word = f"{name}={value}" if values and value else name
        if line and len(line) + 1 + len(word) > _LINE_ROOM_BYTES:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def changed(held: set[str], requested: str) -> set[str] | None:
    """What a client has after CAP REQ; None: nothing of it, for one is not to be had."""
    after = set(held)
    for word in requested.split():
        name = word.removeprefix("-")
        if name not in OFFERED:
            return None
        if word.startswith("-"):
            # It comes with version 302, and does not go.
            if name == "cap-notify":
                return None
            after.discard(name)
        else:
            after.add(name)
    return after
