"""The picture that `hubbub top` shows."""

from dataclasses import asdict, fields
from typing import Any

import pytest
from rich.console import Console

from hubbub.admin import ModuleReport
from hubbub.admin.process import this_process
from hubbub.cli.picture import picture, size, span
from hubbub.cli.rates import Rates
from hubbub.modules import ModuleStats
from hubbub.stats import Stats


def page(**more: Any) -> dict[str, Any]:
    counters = {field.name: 0 for field in fields(Stats)} | {"connections": 12_345}
    return {
        "version": "0.1.0",
        "state": "ready",
        "unready": [],
        "uptime_s": 3725.0,
        "listeners": ["tcp://127.0.0.1:8000"],
        "modules": [],
        "counters": counters,
        "held_limit_bytes": 1 << 30,
        "loop_lag": {"buckets": [[0.001, 0], [None, 0]], "count": 0, "sum_s": 0},
        "process": asdict(this_process()),
        "largest": [],
        **more,
    }


def shown(page: dict[str, Any]) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as capture:
        console.print(picture(page, Rates.between(None, page), name="unix:/run/admin.sock"))
    return capture.get()


def test_an_idle_server() -> None:
    text = shown(page())
    assert "hubbub 0.1.0  ready  up 1h 2m  tcp://127.0.0.1:8000" in text
    assert "12,345 open" in text
    assert "lag p50 ≤ none" in text
    assert "0 B held" in text
    assert "connection " not in text


def test_trouble_is_named() -> None:
    fenced = ModuleReport("chat", "fenced", "/chat", reason="ImportError: \x1b[31mx")
    text = shown(
        page(state="draining", unready=["draining", "module chat: gone"], modules=[asdict(fenced)])
    )
    assert "blocked" in text
    assert "draining" in text
    assert "not ready: module chat: gone" in text
    assert "fenced" in text
    assert r"ImportError: \x1b[31mx" in text
    assert "\x1b" not in text


def test_the_largest_connections() -> None:
    one = {"id": 7, "peer": "[::1]:5", "path": "/w\n", "held_bytes": 2048, "buffered_bytes": 5}
    idle = {**one, "id": 8, "held_bytes": 0, "rtt_s": None}
    text = shown(page(largest=[{**one, "rtt_s": 0.0123}, idle]))
    assert "#7" in text
    assert r"/w\x0a" in text
    assert "2.0 KiB" in text
    assert "12.3 ms" in text
    assert "#8" not in text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (61, "1m 1s"), (7322, "2h 2m"), (90_000, "1d 1h")]
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_what_modules_do() -> None:
    stats = ModuleStats(connections=1234, messages=37250, busy_s=931.25, errors=5)
    text = shown(page(modules=[asdict(ModuleReport("chat", "running", "/chat", stats=stats))]))
    (line,) = [line for line in text.splitlines() if line.startswith("  chat")]
    # Since the start, which was 3,725 s ago.
    assert line.split() == ["chat", "running", "/chat", "1,234", "10/s", "0/s", "25", "%", "5", "0"]
