"""Fan-out: each message from anyone is published to everyone here.

hubbub run examples/fan.py:app
"""

from hubbub import App, WebSocket

app = App()


def join(ws: WebSocket) -> None:
    ws.subscribe("fan")


@app.message("/fan", on_open=join)
def fan(ws: WebSocket, msg: str | bytes) -> None:
    app.publish("fan", msg)
