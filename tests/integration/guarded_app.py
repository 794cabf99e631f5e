"""An app that trusts the proxy in front of it to guard `/private` (see test_nginx.py)."""

from hubbub import App, Request, WebSocket

app = App()


@app.message("/echo")
def echo(ws: WebSocket, message: str | bytes) -> str | bytes:
    return message


@app.get("/private")
def private(request: Request) -> dict[str, str]:
    return {"word": "open sesame"}
