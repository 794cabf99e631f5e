"""The list of metrics, as docs/observability.md shows it (pure)."""

from hubbub.admin.metrics import rows


def metrics_table() -> str:
    """A table in Markdown, one line for each metric."""
    lines = ["| metric | kind | labels | what it tells |", "|---|---|---|---|"]
    for row in rows():
        metric = row.metric
        name = metric.name if metric.kind == "histogram" else metric.series[0]
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{name}` | {metric.kind} | {labels} | {metric.sentence} |")
    return "\n".join(lines) + "\n"
