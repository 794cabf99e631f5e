"""What `hubbub serve` serves when it is told nothing: a page, and one room for all who open it."""

from pathlib import Path

from hubbub._core import Request, WebSocket
from hubbub.app import App
from hubbub.http import Response

app = App()

_PAGE = Response.html(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
_ROOM = "everybody"


@app.get("/")
def page(req: Request) -> Response:
    """The page."""
    return _PAGE


@app.websocket("/ws")
async def room(ws: WebSocket) -> None:
    """Passes on what anybody says."""
    ws.subscribe(_ROOM)
    async for text in ws.text():
        app.publish(_ROOM, text)
