"""The files that the type checkers read as a user's: they name everything that is public."""

import re
from pathlib import Path

import pytest

import hubbub
import hubbub.hub
import hubbub.testing
from hubbub import App, Request, WebSocket

FILES = sorted(Path(__file__).parents[1].glob("typing/*.py"))
NAMED = set(re.findall(r"\w+", " ".join(file.read_text() for file in FILES)))

INSIDE = {
    # What the server calls, or keeps, of an app.
    *("bind", "unbind", "walk", "configure", "declarations", "channels", "config_class"),
    "finish",
    # Where a hub stands, for the assembly and for metrics.
    "place",
    # What answers in pieces are made of.
    "exchange",
}


@pytest.mark.parametrize("module", [hubbub, hubbub.hub, hubbub.testing])
def test_every_exported_name_is_used(module: object) -> None:
    exported: list[str] = getattr(module, "__all__")  # noqa: B009 - of any module
    missing = set(exported) - NAMED
    assert not missing


@pytest.mark.parametrize("kind", [App, hubbub.hub.Hub, WebSocket, Request])
def test_every_public_member_is_used(kind: type) -> None:
    members = {name for name in vars(kind) if not name.startswith("_")}
    assert not members - NAMED - INSIDE
