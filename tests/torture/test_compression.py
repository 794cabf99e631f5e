"""Compression bombs on a live server (C1)."""

import zlib

import pytest

from ..wire import BINARY, CONTINUATION, frame, open_websocket, receive_frame
from .conftest import Attack
from .figures import Figures

pytestmark = pytest.mark.torture

INFLATED_BYTES = 200_000_000
ROUNDS = 50
OFFER = "Sec-WebSocket-Extensions: permessage-deflate"


def bomb() -> bytes:
    """A long run of zeros as permessage-deflate sends it (RFC 7692 §7.2.1)."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(bytes(INFLATED_BYTES)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return packed.removesuffix(b"\x00\x00\xff\xff")


def in_fragments(packed: bytes) -> bytes:
    parts = [packed[at : at + 1000] for at in range(0, len(packed), 1000)]
    middle = b"".join(frame(CONTINUATION, part, fin=False) for part in parts[1:-1])
    first = frame(BINARY, parts[0], fin=False, rsv1=True)
    return first + middle + frame(CONTINUATION, parts[-1])


@pytest.mark.parametrize("window", ["shared", "dedicated"])
def test_a_bomb_goes_off_at_the_limit(attack: Attack, figures: Figures, window: str) -> None:
    """C1: 200 MB in 199 KB, in one frame and in many, with context takeover and without."""
    victim = attack("--compression", window)
    packed = bomb()
    forms = {"one frame": frame(BINARY, packed, rsv1=True), "fragments": in_fragments(packed)}

    def blow(words: bytes) -> None:
        with open_websocket(victim.address, "/sink", OFFER) as one:
            one.sendall(words)
            assert receive_frame(one).close_code == 1009

    for words in forms.values():
        blow(words)
    victim.wait_quiet()
    with victim.peak() as growth:
        for form, words in forms.items():
            before_s = victim.cpu_s()
            for _ in range(ROUNDS):
                blow(words)
            cpu_ms = (victim.cpu_s() - before_s) / ROUNDS * 1e3
            figures.note("C1", f"{window} window, {form}: {cpu_ms:.1f} ms CPU")
            # The bound is 5, for the bomb alone; handshake and system calls are in it here.
            assert cpu_ms <= 15
        grown = growth()
    figures.note("C1", f"growth beyond the first {grown // 1024} KiB")
    assert len(packed) < 200_000
    assert grown <= (1 << 20) + (64 << 10)
