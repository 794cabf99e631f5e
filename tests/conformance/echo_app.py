"""The app that Autobahn's cases are run against: whatever comes in goes out again."""

from hubbub import App, WebSocket

app = App()


@app.message("/")
def echo(ws: WebSocket, message: str | bytes) -> str | bytes:
    """Autobahn asks for no particular path, so the echo is at the root."""
    return message
