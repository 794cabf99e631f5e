"""Behind nginx: upgrades pass, and nothing is smuggled past it in the body of an upgrade (H1).

A proxy and a server that disagree on where a request ends let an attacker send a request that the
proxy never saw. The server's half of the defence: an upgrade has no body, and after a refusal
nothing more of the connection is read.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets.sync.client import unix_connect

from ..programs import program
from ..serving import serving

APP = "tests/integration/guarded_app.py:app"
SECRET = b"open sesame"
PATIENCE_S = 5.0

CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen unix:{socket};
        keepalive_timeout 200ms;
        location / {{
            proxy_pass http://{backend};
            proxy_http_version 1.1;
            proxy_set_header Host {backend};
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }}
        location /private {{ return 403; }}
    }}
}}
"""

UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SMUGGLED = b"GET /private HTTP/1.1\r\nHost: h\r\n\r\n"
CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)

ATTACKS = {
    "a length": UPGRADE
    + b"Sec-WebSocket-Version: 13\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    + SMUGGLED,
    "a length, POST": UPGRADE.replace(b"GET", b"POST", 1)
    + b"Sec-WebSocket-Version: 13\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    + SMUGGLED,
    "chunks": UPGRADE + b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK,
    "an empty chunked body": UPGRADE
    + b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "chunks and a length": UPGRADE
    + b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
    + b"0\r\n\r\n"
    + SMUGGLED,
    "a version nobody speaks": UPGRADE + b"Sec-WebSocket-Version: 777\r\n\r\n" + SMUGGLED,
    "no key": UPGRADE.replace(b"Sec-WebSocket-Key: ", b"X-Key: ")
    + b"Sec-WebSocket-Version: 13\r\n\r\n"
    + SMUGGLED,
}
"""A refused upgrade each, followed by a request for what the proxy guards."""


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    with serving(APP) as address:
        yield address


@pytest.fixture
def proxy(backend: str, tmp_path: Path) -> Iterator[Path]:
    nginx = program("nginx", "nginx-light")
    listening = tmp_path / "s"
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(socket=listening, backend=backend))
    process = subprocess.Popen(
        [nginx, "-p", tmp_path, "-c", configuration], stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not listening.exists():
            assert process.poll() is None, "nginx did not start"
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.01)
        yield listening
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """Everything that comes back for the bytes of `request` until the other end closes."""
    connection.settimeout(PATIENCE_S)
    with closing(connection):
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_server_answers_a_refused_upgrade_once_and_closes(backend: str, attack: str) -> None:
    host, port = backend.split(":")
    connection = socket.create_connection((host, int(port)))
    answer = exchange(connection, ATTACKS[attack])
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 4")
    assert SECRET not in answer


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_smuggled_past_the_proxy(proxy: Path, attack: str) -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(proxy))
    assert SECRET not in exchange(connection, ATTACKS[attack])


def test_the_secret_is_there_for_who_may_ask(backend: str) -> None:
    host, port = backend.split(":")
    connection = socket.create_connection((host, int(port)))
    request = SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert SECRET in exchange(connection, request)


def test_upgrades_pass_the_proxy(proxy: Path) -> None:
    with unix_connect(str(proxy), "ws://h/echo", open_timeout=PATIENCE_S) as socket_:
        socket_.send("through the proxy")
        assert socket_.recv(timeout=PATIENCE_S) == "through the proxy"
