"""`hubbub top`: a running server, watched in a terminal."""

import json
import select
import sys
import termios
import time
import tty
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.live import Live
from rich.text import Text

from hubbub.cli.mistake import Mistake
from hubbub.cli.options import ConfigurationFile
from hubbub.cli.picture import picture
from hubbub.cli.rates import Page, Rates
from hubbub.cli.remote import AdminPlace, Remote, Unreachable, find
from hubbub.config import duration_s

_SOON_S = 0.5


def top(
    *,
    admin: AdminPlace = None,
    config: ConfigurationFile = None,
    interval: str = "1s",
    connections: int = 5,
    once: Annotated[bool, Parameter(negative=())] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Watch a running server: connections, rates, processor, memory, the largest connections.

    Parameters
    ----------
    interval
        How often to look.
    connections
        How many of the largest connections to show.
    once
        Show one picture, of half a second, and end.
    as_json
        Print a line of JSON for each look, for programs.
    """
    try:
        interval_s = max(duration_s(interval), 0.1)
    except ValueError as error:
        raise Mistake(f"--interval: {error}") from None
    remote = find(admin, config)
    target = f"/status?connections={connections}"
    if as_json:
        _print_lines(remote, target, interval_s, once=once)
    elif once or not sys.stdout.isatty():
        before = remote.get(target)
        time.sleep(_SOON_S)
        page = remote.get(target)
        Console().print(picture(page, Rates.between(before, page), name=remote.name))
    else:
        _watch(remote, target, interval_s)


def _print_lines(remote: Remote, target: str, interval_s: float, *, once: bool) -> None:
    while True:
        print(json.dumps(remote.get(target)), flush=True)
        if once:
            return
        time.sleep(interval_s)


def _watch(remote: Remote, target: str, interval_s: float) -> None:
    before: Page | None = None
    page = remote.get(target)
    with Live(screen=True, auto_refresh=False) as live, _keys() as pressed:
        while True:
            shown = picture(page, Rates.between(before, page), name=remote.name, keys="q: quit")
            live.update(shown, refresh=True)
            if pressed(interval_s) in ("q", "Q", "\x1b"):
                return
            try:
                before, page = page, remote.get(target)
            except Unreachable as gone:
                live.update(Text(f"{gone} (q: quit)", style="red"), refresh=True)
                if not _returns(remote, target, pressed, interval_s):
                    return
                before, page = None, remote.get(target)


def _returns(remote: Remote, target: str, pressed: "Waiting", interval_s: float) -> bool:
    """Waits for a server that is gone; false when somebody has lost patience."""
    while pressed(interval_s) not in ("q", "Q", "\x1b"):
        try:
            remote.get(target)
        except Unreachable:
            continue
        return True
    return False


class Waiting:
    """Waits for a key."""

    def __call__(self, longest_s: float) -> str:
        """The key that was pressed within this time, or nothing."""
        ready, _, _ = select.select([sys.stdin], [], [], longest_s)
        return sys.stdin.read(1) if ready else ""


@contextmanager
def _keys() -> Generator[Waiting]:
    """Keys one by one, without the line's end."""
    if not sys.stdin.isatty():
        raise Mistake("expected a terminal to read keys from; --once needs none")
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield Waiting()
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
