"""Text in all the shapes that Python keeps it in, there and back."""

import sys

import pytest

from hubbub import App, WebSocket
from hubbub.testing import serve

pytestmark = pytest.mark.anyio

app = App()


@app.message("/echo")
def echo(ws: WebSocket, msg: str) -> str:
    return msg


@app.message("/size")
def size(ws: WebSocket, msg: str) -> str:
    before = sys.getsizeof(msg)
    ws.send(msg)
    return f"{len(msg)} {before} {sys.getsizeof(msg)}"


@app.message("/surrogate")
def surrogate(ws: WebSocket, msg: str) -> str:
    try:
        ws.send(msg + "\ud83d")
    except ValueError as error:
        return str(error)
    return "sent"


class Word(str):
    """A string of another class keeps its characters elsewhere."""


@app.message("/word")
def word(ws: WebSocket, msg: str) -> str:
    return Word(msg)


KINDS = ("a", "é", "я", "語", "😀", "aé", "aя", "é語a", "ÿ😀a語")


@pytest.mark.parametrize("path", ["/echo", "/word"])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_text_at_every_length(path: str, kind: str) -> None:
    async with serve(app) as server, server.connect(path) as client:
        for length in (*range(70), 127, 128, 129, 1000, 30_000):
            message = (kind * length)[:length]
            client.send(message)
            answer = await client.receive()
            assert answer == message
            assert hash(answer) == hash(message)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_text_takes_no_more_memory_than_python_would_and_not_for_being_sent(
    kind: str,
) -> None:
    message = kind * 1000
    async with serve(app) as server, server.connect("/size") as client:
        client.send(message)
        assert await client.receive() == message
        expected = sys.getsizeof(kind * 1000)
        assert await client.receive() == f"{len(message)} {expected} {expected}"


@pytest.mark.parametrize("kind", ["", *KINDS, "é" * 1000, "語" * 1000])
async def test_a_lone_surrogate_is_refused_and_nothing_is_sent(kind: str) -> None:
    async with serve(app) as server, server.connect("/surrogate") as client:
        client.send(kind)
        assert await client.receive() == (
            "the text has a lone surrogate, which UTF-8 cannot express"
        )
