"""Pictures of results, where matplotlib is installed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

INK = "#1f2933"
OURS = "#0b7a75"
OTHERS = "#9fb3c8"
MISSED = "#c8553d"


def ratios(lines: Sequence[tuple[str, float | None, float]], title: str, path: Path) -> None:
    """One bar for each row, with a tick where its bound is."""
    lines = [line for line in reversed(lines) if line[1] is not None]
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    if not lines:
        return
    drawing = Figure(figsize=(9, 0.8 + 0.42 * len(lines)), layout="constrained")
    axes = drawing.subplots()
    for place, (_, value, bound) in enumerate(lines):
        assert value is not None
        axes.barh(place, value, color=OURS if value <= bound else MISSED, height=0.6)
        axes.plot([bound, bound], [place - 0.38, place + 0.38], color=INK, linewidth=2)
        axes.text(max(value, bound) + 0.04, place, f"{value:.2f}", va="center", color=INK)
    axes.set_yticks(range(len(lines)), [title.replace("`", "") for title, _, _ in lines])
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel("times the bare epoll server; the stroke is the bound")
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(path, dpi=130)


def peers(rows: Mapping[str, Mapping[str, float | None]], ours: str, path: Path) -> None:
    """One panel for each row, servers in order of cost, logarithmic."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    panels = {
        title: sorted(((v, n) for n, v in row.items() if v is not None), reverse=True)
        for title, row in rows.items()
    }
    panels = {title: bars for title, bars in panels.items() if bars}
    if not panels:
        return
    tallest = max(len(bars) for bars in panels.values())
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    drawing = Figure(figsize=(5.2 * columns, lines * (1 + 0.3 * tallest)), layout="constrained")
    grid = drawing.subplots(lines, columns, squeeze=False).flatten()
    for axes, (title, bars) in zip(grid, panels.items(), strict=False):
        for place, (value, name) in enumerate(bars):
            axes.barh(place, value, color=OURS if name == ours else OTHERS, height=0.7)
            axes.text(value * 1.05, place, f"{value:.3g}", va="center", fontsize=8, color=INK)
        axes.set_yticks(range(len(bars)), [name for _, name in bars], fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(bars[-1][0] / 3, bars[0][0] * 2.5)
        axes.xaxis.set_minor_formatter("")
        axes.set_title(f"{title} (µs of server CPU)", loc="left", fontsize=9, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    drawing.savefig(path, dpi=130)
