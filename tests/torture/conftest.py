"""Fixtures: a server to attack, and where its figures go."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ..serving import ROOT, served
from .figures import FOLDER, Figures
from .victim import Victim

APP = "tests/torture/app.py:app"

Attack = Callable[..., Victim]


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    found = Figures()
    yield found
    found.write(ROOT / FOLDER)


@pytest.fixture
def attack() -> Iterator[Attack]:
    """Starts a server with these flags; at the end it must still be there, unharmed."""
    with ExitStack() as running:

        def start(*arguments: str, wrapper: tuple[str, ...] = (), app: str = APP) -> Victim:
            # Lines that a test can look for.
            flags = ("--log-format", "text", *arguments)
            server = running.enter_context(served(app, *flags, wrapper=wrapper))
            victim = Victim(server)
            running.callback(victim.close)
            running.callback(_is_unharmed, victim)
            return victim

        yield start


def _is_unharmed(victim: Victim) -> None:
    assert victim.is_alive(), victim.log.read_text(errors="replace")[-4000:]
    assert victim.stats()["panics"] == 0
    assert "panicked" not in victim.log.read_text(errors="replace")
