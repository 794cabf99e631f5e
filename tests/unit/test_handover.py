"""A new process and its sockets, without a server in either."""

import asyncio
import socket
import sys
import time
from pathlib import Path

import pytest

from hubbub.errors import Failure
from hubbub.handover import Predecessor, Successor

READY = """
import asyncio, os, socket, sys
from hubbub.handover import predecessor
from hubbub.inheritance import received
key, number = received().handed_over[0]
with socket.socket(fileno=number) as listener:
    assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    assert not [name for name in os.environ if name.startswith(("HUBBUB_", "LISTEN_"))]
    assert asyncio.run(predecessor().relieve())
    listener.accept()[0].sendall(key.encode())
"""


async def succeed(code: str, timeout_s: float = 20) -> str:
    """What a client hears of a successor that runs this code."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sockets = [("tcp://here", listener.fileno())]
        successor = Successor.start([sys.executable, "-c", code], Path.cwd(), sockets)
        await successor.ready(timeout_s)
        successor.let_go()
        with socket.create_connection(listener.getsockname()) as client:
            return client.recv(100).decode()


def test_it_takes_over() -> None:
    assert asyncio.run(succeed(READY)) == "tcp://here"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise SystemExit(3)", r"exit code 3\): it told nothing but its log"),
        ("import os; os.abort()", r"exit code -6\)"),
        (
            "from hubbub.handover import predecessor as p; p().fail('no such port: ü'); exit(4)",
            r"exit code 4\): no such port: ü",
        ),
        (
            "import os; from hubbub import inheritance as i; os.write(i.received().channel, b'?')",
            "told",
        ),
    ],
)
def test_one_that_fails_says_why(code: str, told: str) -> None:
    with pytest.raises(Failure, match=told):
        asyncio.run(succeed(code))


def test_one_that_hangs_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(Failure, match=r"not ready within 0\.5 s"):
        asyncio.run(succeed("import time; time.sleep(60)", timeout_s=0.5))
    assert time.monotonic() - began < 20


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(Failure, match="cannot be started"):
        Successor.start(["/nowhere/at/all"], Path.cwd(), [])


def test_a_predecessor_that_dies_has_stepped_back() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    assert asyncio.run(Predecessor(theirs.detach()).relieve())


def test_without_a_predecessor() -> None:
    nobody = Predecessor(None)
    nobody.fail("nobody hears it")
    assert not asyncio.run(nobody.relieve())
