"""Hubbub: a WebSocket server whose core is Rust and whose applications are plain Python.

    from hubbub import App, WebSocket

    app = App()

    @app.message("/echo")
    def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
        return msg

Serve it with `hubbub run FILE.py:app`, `hubbub.run(app)`, or inside a running loop with
`async with hubbub.serve(app)`. The other side is `hubbub.connect(url)`; tests use
`hubbub.testing`.
"""

from hubbub._core import Headers, Request, Sent, TlsInfo, WebSocket, __version__
from hubbub.app import App
from hubbub.channel import Channel
from hubbub.client import Connecting, connect
from hubbub.config import CertificatePair, ServerSettings, TlsSettings
from hubbub.errors import (
    BadCertificate,
    CannotListen,
    ConnectionClosed,
    Failure,
    HandshakeRejected,
    HandshakeTimeout,
    HubbubError,
    InvalidMessage,
    Misuse,
    Reject,
    Violation,
)
from hubbub.forms import Form, Upload
from hubbub.http import (
    Event,
    EventSourceResponse,
    FileResponse,
    Response,
    StreamingResponse,
    last_event_id,
)
from hubbub.loop import new_event_loop
from hubbub.running import run
from hubbub.server import Server, serve
from hubbub.stats import Stats
from hubbub.tls import Trust

__all__ = [
    "App",
    "BadCertificate",
    "CannotListen",
    "CertificatePair",
    "Channel",
    "Connecting",
    "ConnectionClosed",
    "Event",
    "EventSourceResponse",
    "Failure",
    "FileResponse",
    "Form",
    "HandshakeRejected",
    "HandshakeTimeout",
    "Headers",
    "HubbubError",
    "InvalidMessage",
    "Misuse",
    "Reject",
    "Request",
    "Response",
    "Sent",
    "Server",
    "ServerSettings",
    "Stats",
    "StreamingResponse",
    "TlsInfo",
    "TlsSettings",
    "Trust",
    "Upload",
    "Violation",
    "WebSocket",
    "__version__",
    "connect",
    "last_event_id",
    "new_event_loop",
    "run",
    "serve",
]
