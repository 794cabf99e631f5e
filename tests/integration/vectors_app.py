"""An app that says what was made of a request, and sends messages back (see test_vectors)."""

from hubbub import App, Request, Response, WebSocket
from hubbub.config import Compression

app = App()


@app.get("/")
@app.get("/{*path}")
@app.post("/")
@app.post("/{*path}")
def seen(request: Request) -> Response:
    return Response(f"{request.path}?{request.query_string}")


def echo(ws: WebSocket, message: str | bytes) -> str | bytes:
    return message


app.message("/{*path}", origins=("*",))(echo)
app.message("/same-host")(echo)

for limit in (4, 10):
    app.message(f"/limit-{limit}", message_limit_bytes=limit)(echo)

windows: tuple[Compression, ...] = ("off", "shared", "dedicated")
for window in windows:
    app.message(f"/{window}", compression=window)(echo)
