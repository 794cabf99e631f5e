"""First inputs for the fuzz targets, made of the vectors, written to `fuzz/target/corpus`.

`fuzz/run keep` takes from there what reaches new code. How an input is read is said in its target.
"""

import json
import ssl
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VECTORS = HERE.parent / "tests" / "vectors"
MAX_BYTES = 20_000

MASK = bytes.fromhex("37fa213d")
TEXT = json.dumps([{"id": i, "room": "lobby", "said": f"number {i}"} for i in range(40)]).encode()


def vectors(name: str, rows: str) -> list[dict[str, Any]]:
    """The rows of a file of vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text())[rows]


def request(row: dict[str, Any]) -> bytes:
    """A request as the vectors write it: texts, some of them repeated."""
    parts = row["request"] if isinstance(row["request"], list) else [row["request"]]
    texts = [part if isinstance(part, str) else part["repeat"] * part["times"] for part in parts]
    return "".join(texts).encode("latin-1")


def hexadecimal(text: str) -> bytes:
    """Bytes of a stream, without the bars that help to read it."""
    return bytes.fromhex(text.replace("|", " "))


def deflated(payload: bytes, level: int = 6, window_bits: int = 15, last: bool = False) -> bytes:
    """A message as a client compresses it."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -window_bits)
    if last:
        return deflate.compress(payload) + deflate.flush() + b"\0"
    return (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def masked(head: bytes, payload: bytes) -> bytes:
    """A frame from a client, shorter than 64 KiB."""
    body = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))
    size = len(payload)
    length = bytes([0x80 | size]) if size <= 125 else b"\xfe" + size.to_bytes(2, "big")
    return head + length + MASK + body


def payloads() -> Iterator[bytes]:
    """Compressed messages of all kinds of blocks."""
    for payload in (b"", b"Hello", TEXT, TEXT * 4, b"\0" * 100_000, bytes(range(256)) * 4):
        yield from (
            deflated(payload, level) for level in (0, 1, 9) if level or len(payload) < 10_000
        )
        yield deflated(payload, window_bits=9)
        yield deflated(payload, last=True)


def head() -> Iterator[bytes]:
    """Requests."""
    yield from (request(row) for row in vectors("http_heads", "rows"))
    yield from (request(row) for row in vectors("handshakes", "rows"))
    for row in vectors("targets", "rows"):
        yield f"{row['method']} {row['target']} HTTP/1.1\r\nHost: example.org\r\n\r\n".encode()


def tls() -> Iterator[bytes]:
    """Size of a piece less one, then what a client sends."""
    for versions in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = versions
        sent = ssl.MemoryBIO()
        client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
        with suppress(ssl.SSLWantReadError):
            client.do_handshake()
        hello = sent.read()
        yield from (bytes([size]) + hello for size in (0, 4, 99, 255))
        yield b"\xff" + b"".join(
            b"\x16\x03\x01\0\x01" + hello[at : at + 1] for at in range(5, len(hello))
        )
        yield b"\xff" + hello[:60] + b"\x15\x03\x03\0\x02\x02\x28"


def proxy() -> Iterator[bytes]:
    """PROXY headers, and requests with what proxies say."""
    yield from (row["bytes"].encode("latin-1") for row in vectors("proxy", "rows"))
    for row in vectors("forwarded", "rows"):
        lines = "".join(f"{name}: {value}\r\n" for name, value in row["fields"])
        yield f"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n".encode("latin-1")


def handshake() -> Iterator[bytes]:
    """A byte of settings, then a request, an answer, or the value of an extension header."""
    for row in vectors("handshakes", "rows"):
        yield b"\0" + request(row)
    for row in vectors("extensions", "negotiate"):
        yield b"\0" + ", ".join(row["offers"]).encode()
    for row in vectors("extensions", "verify"):
        yield b"\xc1" + row["value"].encode()
    answer = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    )
    yield b"\2" + answer.encode() + b"\r\n"
    yield (
        b"\0"
        + answer.encode()
        + (
            b"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate; "
            b"server_no_context_takeover; client_no_context_takeover\r\n\r\n"
        )
    )
    yield b"\0HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"


def frames() -> Iterator[bytes]:
    """Headers, texts, bodies of Close frames."""
    yield from (hexadecimal(row["bytes"]) for row in vectors("frames", "streams"))
    yield from (bytes.fromhex(row["bytes"]) for row in vectors("utf8", "texts"))
    for row in vectors("close", "codes"):
        yield row["first"].to_bytes(2, "big") + b"bye"


def deflate() -> Iterator[bytes]:
    """A byte of settings, then a message, compressed or to be compressed."""
    for payload in payloads():
        yield from (bytes([setting]) + payload for setting in (0x00, 0x75, 0x16))
    yield from (bytes([setting]) + TEXT for setting in (0x10, 0x14, 0x60, 0x74))


def endpoint() -> Iterator[bytes]:
    """A byte of settings, one of how to cut, and a stream of frames."""
    for row in vectors("frames", "streams"):
        role = 0 if row["to"] == "server" else 1
        deflate = 0b110 if row.get("deflate") else 0
        yield bytes([0b1110_0000 | role | deflate, 17]) + hexadecimal(row["bytes"])
    for payload in payloads():
        half = len(payload) // 2
        cut = (
            masked(b"\x41", payload[:half])
            + masked(b"\x89", b"?")
            + masked(b"\x80", payload[half:])
        )
        for setting in (0b1110_0010, 0b1110_0110):
            yield bytes([setting, 3]) + masked(b"\xc1", payload) + cut
    yield b"\0\5" + masked(b"\x81", TEXT) * 3 + masked(b"\x88", b"\x03\xe8bye")


def text() -> Iterator[bytes]:
    """Texts of one script and of several, around the sizes of vectors, and what is no text."""
    scripts = ("room", "séance", "комната", "غرفة", "कमरा", "会议", "回😀", "👍🎉")
    for size in (15, 16, 17, 63, 64, 65, 130):
        yield from ((script * size).encode()[:size] for script in scripts)
        yield " ".join(scripts * size).encode()[:size]
    yield from ((" ".join(scripts) * 20).encode("utf-16-le", "surrogatepass")[at:] for at in (0, 1))
    yield from (bytes.fromhex(row["bytes"]) for row in vectors("utf8", "texts"))


def command() -> Iterator[bytes]:
    """Publications as clients write them, and nearly so."""
    for data in (
        "1",
        "-2.5e+3",
        "null",
        '"a\\u00e9\\n😀"',
        '{"a":[{},[true,false]]}',
        TEXT.decode(),
    ):
        inside = f'{{"channel":"room:1","data":{data}}}'
        yield f'{{"id":7,"publish":{inside}}}'.encode()
        yield f'{{"publish":{inside},"id":4294967295}}'.encode()
        yield f'{{"id": 7, "publish": {{"data": {data}, "channel": "комната"}}}}'.encode()
    yield b'{"id":1,"subscribe":{"channel":"a"}}'


if __name__ == "__main__":
    for target in (head, handshake, frames, deflate, endpoint, text, proxy, tls, command):
        folder = HERE / "target" / "corpus" / target.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for seed in target():
            if len(seed) <= MAX_BYTES:
                (folder / f"seed-{zlib.crc32(seed):08x}").write_bytes(seed)
