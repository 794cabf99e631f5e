"""Access lines: who asked for what, who came, who went, and why.

Only the path is written, never the query: it may carry tokens. Requests are noted by the native
module and fetched from time to time, so that their handlers pay nothing for it.
"""

import logging
import time
from dataclasses import replace
from typing import Any

from hubbub._core import Engine, WebSocket
from hubbub.log import access, logger, printable
from hubbub.routing import Declaration, Hook

_INTERVAL_S = 0.1


class RequestLines:
    """Writes a line for each HTTP request of an engine."""

    def __init__(self, engine: Engine) -> None:
        """Begins.

        Args:
            engine: Whose requests.
        """
        self._engine = engine
        engine.log_access(True)
        self._cancel = engine.every(_INTERVAL_S, self.write)

    def write(self) -> None:
        """Writes what has come since the last time."""
        lines, lost = self._engine.take_access()
        for connection, client, method, path, status, size_bytes, seconds in lines:
            shown = printable(path) or "?"
            access.info(
                '%s "%s %s" %s %d B %.1f ms',
                client,
                printable(method) or "?",
                shown,
                status or "gone",
                size_bytes,
                seconds * 1000,
                extra={
                    "event": "request",
                    "connection": connection,
                    "client": client,
                    "method": method,
                    "path": path,
                    "status": status or None,
                    "bytes": size_bytes,
                    "duration_s": round(seconds, 6),
                },
            )
        if lost:
            logger.warning("%d access lines were lost: too many requests at a time", lost)

    def close(self) -> None:
        """Writes the last ones, and ends it."""
        self._cancel()
        self.write()
        self._engine.log_access(False)


def wants_lines() -> bool:
    """Whether anybody reads access lines."""
    return access.isEnabledFor(logging.INFO)


def logged(declaration: Declaration) -> Declaration:
    """The same endpoint, writing a line at each opening and each end of a WebSocket."""
    return replace(
        declaration,
        on_open=_after(_lines.opened, declaration.on_open),
        on_close=_after(_lines.closed, declaration.on_close),
    )


class _WebSocketLines:
    """The lines of all endpoints: a connection may end under other code than it began with."""

    def __init__(self) -> None:
        self._since_s: dict[int, float] = {}

    def opened(self, ws: WebSocket[Any]) -> None:
        self._since_s[ws.id] = time.monotonic()
        access.info(
            "%s #%d open %s",
            ws.client,
            ws.id,
            printable(ws.path),
            extra={
                "event": "open",
                "connection": ws.id,
                "client": ws.client,
                "path": ws.path,
            },
        )

    def closed(self, ws: WebSocket[Any]) -> None:
        now_s = time.monotonic()
        duration_s = now_s - self._since_s.pop(ws.id, now_s)
        messages_in, bytes_in, messages_out, bytes_out = ws.traffic or (0, 0, 0, 0)
        access.info(
            "%s #%d close %s %s by %s: %s; %.1f s, in %d messages %d B, out %d messages %d B",
            ws.client,
            ws.id,
            printable(ws.path),
            ws.close_code,
            ws.closed_by,
            printable(ws.close_reason) or "no reason",
            duration_s,
            messages_in,
            bytes_in,
            messages_out,
            bytes_out,
            extra={
                "event": "close",
                "connection": ws.id,
                "client": ws.client,
                "path": ws.path,
                "code": ws.close_code,
                "reason": ws.close_reason,
                "by": ws.closed_by,
                "duration_s": round(duration_s, 3),
                "messages_in": messages_in,
                "bytes_in": bytes_in,
                "messages_out": messages_out,
                "bytes_out": bytes_out,
            },
        )


_lines = _WebSocketLines()


def _after(first: Hook, second: Hook | None) -> Hook:
    if second is None:
        return first

    def both(ws: WebSocket[Any]) -> None:
        first(ws)
        second(ws)

    return both
