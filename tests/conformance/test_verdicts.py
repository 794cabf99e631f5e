"""The reader of Autobahn's reports must not let anything pass that is merely acceptable."""

from typing import Any

import pytest

from .verdicts import GROUPS, INFORMATIONAL, Report


def entry(behavior: str = "OK", close: str = "OK") -> dict[str, Any]:
    return {"behavior": behavior, "behaviorClose": close, "duration": 1, "remoteCloseCode": 1000}


def report(**cases: dict[str, Any]) -> Report:
    return Report.from_index({"agent": {name.replace("_", "."): e for name, e in cases.items()}})


def test_ok_is_no_deviation() -> None:
    assert report(**{"1_1_1": entry()}).deviations() == []


@pytest.mark.parametrize("behavior", ["NON-STRICT", "FAILED", "UNIMPLEMENTED", "INFORMATIONAL"])
def test_anything_but_ok_deviates(behavior: str) -> None:
    assert len(report(**{"3_2": entry(behavior)}).deviations()) == 1


@pytest.mark.parametrize("close", ["WRONG CODE", "UNCLEAN", "FAILED BY CLIENT", "INFORMATIONAL"])
def test_a_bad_close_deviates_though_the_messages_were_right(close: str) -> None:
    assert len(report(**{"7_1_5": entry("OK", close)}).deviations()) == 1


@pytest.mark.parametrize("case", sorted(INFORMATIONAL))
def test_observed_cases_are_informational(case: str) -> None:
    name = case.replace(".", "_")
    assert report(**{name: entry("INFORMATIONAL", "INFORMATIONAL")}).deviations() == []
    assert len(report(**{name: entry("FAILED", "UNCLEAN")}).deviations()) == 1


def test_a_shortened_run_is_seen() -> None:
    assert len(report(**{"1_1_1": entry()}).gaps()) == len(GROUPS)
    assert sum(size for _, size in GROUPS.values()) == 517


def test_a_report_of_several_servers_is_refused() -> None:
    with pytest.raises(ValueError, match="one server"):
        Report.from_index({"a": {}, "b": {}})
