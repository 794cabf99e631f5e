"""The metrics as they are declared: names, units, labels."""

import re
from dataclasses import fields

from hubbub.admin.metrics import rows
from hubbub.stats import Stats

UNITS = ("seconds", "bytes")


def test_names_are_as_prometheus_wants_them() -> None:
    names = [row.metric.name for row in rows()]
    assert len(set(names)) == len(names)
    for row in rows():
        metric = row.metric
        assert re.fullmatch(r"(hubbub|process)_[a-z][a-z0-9_]*", metric.name)
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))
        assert metric.unit in ("", *UNITS)
        if metric.unit or metric.name.endswith(UNITS):
            assert metric.name.endswith(f"_{metric.unit}")
        assert metric.sentence
        assert not metric.sentence.endswith(".")


def test_every_counter_of_a_server_is_a_metric() -> None:
    assert len(rows()) >= len(fields(Stats)) + 15
