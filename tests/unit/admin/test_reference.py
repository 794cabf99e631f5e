"""What is said about metrics elsewhere: in the documentation, the dashboard, the alerts."""

import json
import re
from pathlib import Path

import pytest

from hubbub.admin.metrics import rows
from hubbub.admin.reference import metrics_table

ROOT = Path(__file__).parents[3]
SERIES = {name for row in rows() for name in row.metric.series}


def test_the_documentation_lists_them_all() -> None:
    page = (ROOT / "docs/observability.md").read_text()
    assert metrics_table() in page, "put this table there:\n" + metrics_table()


@pytest.mark.parametrize(
    "file",
    ["deploy/grafana-dashboard.json", "deploy/prometheus-alerts.yml", "docs/observability.md"],
)
def test_every_metric_that_is_named_exists(file: str) -> None:
    text = (ROOT / file).read_text()
    named = set(re.findall(r"\b(?:hubbub|process)_[a-z_]+\b", text))
    named -= {row.metric.name for row in rows() if row.metric.kind == "histogram"}
    assert len(named) > 5
    assert named - SERIES == set()


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert all(target["expr"] for target in panel["targets"])
