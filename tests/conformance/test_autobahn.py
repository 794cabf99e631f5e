"""The quick groups of Autobahn's cases, on every test run; `make conformance` runs all 517."""

from pathlib import Path

from .autobahn import echo_server, run_cases

SLOW = ("9.*", "12.*", "13.*")
"""Limits and compression: 270 cases that move gigabytes."""


def test_every_quick_case_is_strictly_right(tmp_path: Path) -> None:
    with echo_server() as address:
        run = run_cases(address, tmp_path, exclude=SLOW)
    assert run.report.deviations() == []
    assert len(run.report.verdicts) == 247
