"""All examples in one server, with a page that leads to them.

hubbub run examples/demo.py:app
"""

from pathlib import Path

import board
import chat
import echo
import fan
from hubbub import App, Request, Response

app = App()
INDEX = Response.html(Path(__file__).with_name("demo.html").read_text(encoding="utf-8"))

app.mount("/chat", chat.app)
for example in (echo.app, fan.app, board.app):
    app.mount("/", example)


@app.get("/")
def index(req: Request) -> Response:
    return INDEX


@app.get("/healthz")
def healthz(req: Request) -> dict[str, str]:
    return {"status": "ok"}
