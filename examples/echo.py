"""Echo: a function called for each message; what it returns is the reply.

hubbub run examples/echo.py:app
"""

from hubbub import App, WebSocket

app = App()


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg
