"""Mutates lines of IRC and texts of the chat: whatever is raised besides `BadLine` is a find.

usage: python fuzz/irc.py SECONDS [SEED]
"""

import json
import random
import sys
import time
from pathlib import Path

from hubbub.bridges.irc import BadLine, Cutter, TooLong, encode, from_irc, parse, to_irc
from hubbub.errors import Misuse
from hubbub.markup import plain_text

VECTORS = Path(__file__).parents[1] / "tests/vectors"
SPECIAL = b"\x00\x01\x02\x03\x04\x0f\x11\x1d\x1e\x1f\r\n @:;=\\*`~[]()>#,\xff\xcc\x81\xf0\x9f"
LIMIT_BYTES = 200


def seeds() -> list[bytes]:
    lines = json.loads((VECTORS / "irc_lines.json").read_text(encoding="utf-8"))
    texts = json.loads((VECTORS / "markup.json").read_text(encoding="utf-8"))["texts"]
    found = [one["line"] for one in lines["lines"]] + [one["text"] for one in texts]
    found += [text for kind in ("to_irc", "from_irc", "split") for text, *_ in lines[kind]]
    return [text.encode("utf-8", "replace") for text in found]


def mutated(dice: random.Random, corpus: list[bytes]) -> bytes:
    text = bytearray(dice.choice(corpus))
    for _ in range(dice.randint(1, 6)):
        at = dice.randint(0, len(text))
        match dice.randrange(5):
            case 0:
                text[at:at] = bytes([dice.choice(SPECIAL)]) * dice.choice((1, 1, 2, 40))
            case 1:
                del text[at : at + dice.randint(1, 8)]
            case 2:
                text[at:at] = dice.choice(corpus)
            case 3:
                text[at : at + 1] = bytes([dice.randrange(256)])
            case _:
                text[at:at] = text[: dice.randint(0, 30)]
    return bytes(text[:2000])


def check(raw: bytes) -> None:
    for line in Cutter().feed(raw + b"\n"):
        if isinstance(line, TooLong):
            continue
        try:
            found = parse(line)
        except BadLine:
            continue
        try:
            again = encode(found)
        except Misuse:
            continue
        assert not set(again) & {0, 10, 13}, raw
        assert parse(again) == found, raw
    text = raw.decode("utf-8", "replace")
    for said in to_irc(text, LIMIT_BYTES):
        assert len(said.encode()) <= LIMIT_BYTES, raw
        assert not set(said) & set("\0\1\r\n"), raw
    plain_text(from_irc(text.replace("\n", " ").replace("\r", " ")))


def main() -> None:
    seconds = float(sys.argv[1])
    dice = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else None)
    corpus = seeds()
    runs, ends_s = 0, time.monotonic() + seconds
    while time.monotonic() < ends_s:
        raw = mutated(dice, corpus)
        try:
            check(raw)
        except Exception:
            print(f"irc: found by {raw!r}")
            raise
        if len(corpus) < 5000 and dice.random() < 0.01:
            corpus.append(raw[:300])
        runs += 1
    print(f"irc: {runs} runs, nothing found")


if __name__ == "__main__":
    main()
