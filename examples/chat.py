"""A chat: open its page in two windows, or in two rooms with ?room=….

hubbub run examples/chat.py:app
"""

from pathlib import Path

from hubbub import App, Request, Response, WebSocket

app = App()
PAGE = Response.html(Path(__file__).with_name("chat.html").read_text(encoding="utf-8"))


@app.get("/")
def page(req: Request) -> Response:
    return PAGE


@app.websocket("/ws/{room}")
async def chat(ws: WebSocket, room: str, name: str = "guest") -> None:
    ws.subscribe(room)
    app.publish(room, f"{name} joined")
    async for text in ws.text():
        app.publish(room, f"{name}: {text}")
    app.publish(room, f"{name} left")
