"""Access lines: who came, who went, and why.

Only the path is written, never the query: it may carry tokens.
"""

from dataclasses import replace
from typing import Any

from hubbub._core import WebSocket
from hubbub.log import access, printable
from hubbub.routing import Declaration, Hook


def logged(declaration: Declaration) -> Declaration:
    """The same endpoint, writing a line at each opening and each end of a WebSocket."""
    return replace(
        declaration,
        on_open=_after(_log_open, declaration.on_open),
        on_close=_after(_log_close, declaration.on_close),
    )


def _after(first: Hook, second: Hook | None) -> Hook:
    if second is None:
        return first

    def both(ws: WebSocket[Any]) -> None:
        first(ws)
        second(ws)

    return both


def _log_open(ws: WebSocket[Any]) -> None:
    access.info("%s #%d open %s", ws.client, ws.id, printable(ws.path))


def _log_close(ws: WebSocket[Any]) -> None:
    access.info(
        "%s #%d close %s %s by %s: %s",
        ws.client,
        ws.id,
        printable(ws.path),
        ws.close_code,
        ws.closed_by,
        printable(ws.close_reason),
    )
