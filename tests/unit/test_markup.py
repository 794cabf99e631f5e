"""What the text of a message means, as the vectors that all readers share have it."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.markup import (
    Block,
    Break,
    Code,
    Fence,
    Inline,
    Link,
    Mark,
    Mention,
    Paragraph,
    Quote,
    Text,
    parse,
    plain_text,
)

FILE = Path(__file__).parents[1] / "vectors/markup.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["texts"]


def told(node: Block | Inline) -> dict[str, Any]:
    """The node as the vectors write it."""
    match node:
        case Text(text):
            return {"kind": "text", "text": text}
        case Code(text):
            return {"kind": "code", "text": text}
        case Mark(kind, children):
            return {"kind": kind, "children": list(map(told, children))}
        case Link(url, children):
            return {"kind": "link", "url": url, "children": list(map(told, children))}
        case Paragraph(children):
            return {"kind": "paragraph", "children": list(map(told, children))}
        case Quote(children):
            return {"kind": "quote", "children": list(map(told, children))}
        case Mention() | Break() | Fence():
            return {"kind": type(node).__name__.lower(), **asdict(node)}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["why"])
def test_texts_mean_what_the_vectors_say(vector: dict[str, Any]) -> None:
    assert list(map(told, parse(vector["text"]))) == vector["nodes"]


def test_plain_text() -> None:
    assert plain_text("> **a** [b](https://x.org/) `c`\n\n```\nd\n```\n@e") == "a b c d @e"


@given(st.text(alphabet="ab *~`\\[]()>@_h:/.\n", max_size=60) | st.text(max_size=60))
def test_any_text_has_a_meaning(text: str) -> None:
    letters = [one for one in text if one.isalpha()]
    kept = "".join(plain_text(text))
    assert len([one for one in kept if one.isalpha()]) <= len(letters)


@pytest.mark.parametrize(
    "text", ["*" * 4000, "`" * 4000, "[" * 4000, "](" * 2000, "~~" * 2000, "@" * 4000, ">" * 4000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began_s = time.process_time()
    parse(text)
    assert time.process_time() - began_s < 0.5
