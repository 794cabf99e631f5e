"""A server's state as a picture in a terminal, made of two looks at it (pure)."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hubbub.cli.rates import Page, Rates
from hubbub.log import printable

_STATES = {"ready": "bold green", "starting": "bold yellow", "draining": "bold yellow"}


def picture(page: Page, rates: Rates, *, name: str, keys: str = "") -> RenderableType:
    """The whole picture.

    Args:
        page: The newest look.
        rates: What happened since the one before.
        name: Where the server was asked.
        keys: What can be pressed.
    """
    parts: list[RenderableType] = [_title(page, name, keys), "", _numbers(page, rates)]
    if page["modules"]:
        parts += ["", _modules(page, rates)]
    # The one that asks is among them, and nothing is held for it.
    if largest := [one for one in page["largest"] if one["held_bytes"]]:
        parts += ["", _largest(largest)]
    return Group(*parts)


def _title(page: Page, name: str, keys: str) -> RenderableType:
    title = Table.grid(expand=True)
    title.add_column()
    title.add_column(justify="right", style="dim")
    state = page["state"]
    title.add_row(
        Text.assemble(
            ("hubbub ", "bold"),
            (page["version"], "dim"),
            "  ",
            (state, _STATES.get(state, "bold red")),
            f"  up {span(page['uptime_s'])}  ",
            (" ".join(printable(one) for one in page["listeners"]), "cyan"),
        ),
        keys or printable(name),
    )
    others = [one for one in page["unready"] if one != state]
    if others:
        title.add_row(Text("not ready: " + printable("; ".join(others)), style="red"), "")
    return title


def _numbers(page: Page, rates: Rates) -> Table:
    grid = Table.grid(padding=(0, 3))
    grid.add_column(style="dim")
    for _ in range(3):
        grid.add_column(justify="right")
    for row in _rows(page, rates):
        grid.add_row(*row)
    return grid


def _rows(page: Page, rates: Rates) -> Iterator[tuple[str, ...]]:
    counters, process = page["counters"], page["process"]
    per_s = rates.counters
    yield (
        "connections",
        f"{counters['connections']:,} open",
        f"{_rate(per_s['accepted'])} come",
        f"{counters['refused']:,} refused",
    )
    yield (
        "websockets",
        f"{counters['upgraded']:,} opened",
        f"{_rate(per_s['upgraded'])} open",
        f"{counters['slow_closed'] + counters['violations'] + counters['timeouts']:,} closed by us",
    )
    yield (
        "messages in",
        f"{counters['messages_in']:,}",
        _rate(per_s["messages_in"]),
        f"{size(per_s['bytes_in'])}/s",
    )
    yield (
        "messages out",
        f"{counters['messages_out']:,}",
        _rate(per_s["messages_out"]),
        f"{size(per_s['bytes_out'])}/s",
    )
    yield (
        "requests",
        f"{counters['requests']:,}",
        _rate(per_s["requests"]),
        f"{counters['bad_requests']:,} refused",
    )
    yield (
        "processor",
        f"{rates.cpu * 100:.0f} %",
        f"lag p50 ≤ {_lag(rates.lag_p50_s)}",
        f"p99 ≤ {_lag(rates.lag_p99_s)}",
    )
    yield (
        "memory",
        size(process["resident_bytes"]),
        f"{size(counters['held_bytes'])} held",
        f"of {size(page['held_limit_bytes'])}",
    )
    yield (
        "descriptors",
        f"{process['descriptors']:,}",
        f"of {process['descriptor_limit']:,}",
        f"{process['threads']} threads",
    )


def _modules(page: Page, rates: Rates) -> Table:
    # 80 columns are enough, unless there is trouble to tell of.
    table = Table(box=None, header_style="dim", padding=(0, 1))
    for heading in (" module", "state", "at"):
        table.add_column(heading, overflow="fold")
    for heading in ("open", "messages", "requests", "busy", "errors", "blocked"):
        table.add_column(heading, justify="right", no_wrap=True)
    has_reasons = any(module["reason"] for module in page["modules"])
    if has_reasons:
        table.add_column("", overflow="fold")
    for module in page["modules"]:
        is_up = module["state"] == "running"
        where = f"{' '.join(module['hosts'])}{module['mount']}"
        stats, per_s = module["stats"], rates.modules[module["name"]]
        table.add_row(
            f" {printable(module['name'])}",
            Text(module["state"], style="green" if is_up else "red"),
            printable(where),
            f"{stats['connections']:,}",
            _rate(per_s["messages"]),
            _rate(per_s["requests"]),
            f"{per_s['busy_s'] * 100:.0f} %",
            _trouble(stats["errors"]),
            _trouble(stats["blocked"]),
            *((printable(module["reason"]),) if has_reasons else ()),
        )
    return table


def _trouble(count: int) -> Text:
    return Text(f"{count:,}", style="red" if count else "")


def _largest(connections: Sequence[Page]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2))
    for heading in ("connection", "peer", "path"):
        table.add_column(heading)
    for heading in ("held", "to send", "rtt"):
        table.add_column(heading, justify="right")
    for one in connections:
        rtt_s = one["rtt_s"]
        table.add_row(
            f"#{one['id']}",
            printable(one["peer"] or ""),
            printable(one["path"]),
            size(one["held_bytes"]),
            size(one["buffered_bytes"]),
            "" if rtt_s is None else f"{rtt_s * 1000:.1f} ms",
        )
    return table


def size(count: float) -> str:
    """Bytes for a person: "1.5 MiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def span(seconds: float) -> str:
    """A time for a person: "3d 4h", "5m 6s"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"


def _rate(count: float) -> str:
    return f"{count:,.0f}/s" if count >= 10 or count == 0 else f"{count:.1f}/s"


def _lag(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    if seconds == float("inf"):
        return "more than 5 s"
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"
