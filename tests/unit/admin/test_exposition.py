"""OpenMetrics text: read back by Prometheus' own parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from hubbub.admin.exposition import Histogram, Kind, Metric, Value, exposition


def test_the_page_as_it_is_sent() -> None:
    page = exposition(
        [
            (Metric("a_seconds", "counter", "Time", "seconds"), [Value(1.5)]),
            (Metric("b", "gauge", 'Say "x"\\\n', labels=("l",)), [Value(2, {"l": 'q"\\\n'})]),
            (Metric("none", "gauge", "Nothing to tell", labels=("l",)), []),
            (Metric("h", "histogram", "H"), Histogram([(0.5, 2), (float("inf"), 1)], 3.25)),
            (Metric("i", "info", "I", labels=("v",)), [Value(1, {"v": "1"})]),
        ]
    )
    assert page == (
        "# TYPE a_seconds counter\n"
        "# UNIT a_seconds seconds\n"
        "# HELP a_seconds Time\n"
        "a_seconds_total 1.5\n"
        "# TYPE b gauge\n"
        '# HELP b Say \\"x\\"\\\\\\n\n'
        'b{l="q\\"\\\\\\n"} 2\n'
        "# TYPE h histogram\n"
        "# HELP h H\n"
        'h_bucket{le="0.5"} 2\n'
        'h_bucket{le="+Inf"} 3\n'
        "h_sum 3.25\n"
        "h_count 3\n"
        "# TYPE i info\n"
        "# HELP i I\n"
        'i_info{v="1"} 1\n'
        "# EOF\n"
    )


@pytest.mark.parametrize(
    ("kind", "series"),
    [
        ("counter", ["x_total"]),
        ("gauge", ["x"]),
        ("info", ["x_info"]),
        ("histogram", ["x_bucket", "x_sum", "x_count"]),
    ],
)
def test_the_names_that_queries_use(kind: Kind, series: list[str]) -> None:
    assert list(Metric("x", kind, "").series) == series


@given(st.text(), st.text(), st.integers(0, 2**63))
def test_any_text_comes_back_from_the_parser(sentence: str, label: str, number: int) -> None:
    page = exposition(
        [(Metric("g", "gauge", f"<{sentence}>", labels=("l",)), [Value(number, {"l": label})])]
    )
    (family,) = text_string_to_metric_families(page)
    (sample,) = family.samples
    assert sample.labels == {"l": label}
    assert sample.value == number
    assert family.documentation == f"<{sentence}>"
