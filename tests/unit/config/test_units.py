"""Durations and sizes: what people write, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.config.units import duration_s, duration_text, size_bytes, size_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("250ms", 0.25),
        ("5m", 300),
        ("5min", 300),
        ("1.5h", 5400),
        ("1d", 86_400),
        ("20", 20),
        (" 20 s ", 20),
        ("0", 0),
        (7, 7),
        (0.5, 0.5),
    ],
)
def test_durations(text: str | float, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1 s s", "1e3", "١s", "1S", "1year", float("nan"), float("inf"), -1]
)
def test_no_durations(text: str | float) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1MiB", 1_048_576),
        ("64KiB", 65_536),
        ("1.5GiB", 1_610_612_736),
        ("64kB", 64_000),
        ("1MB", 1_000_000),
        ("1M", 1_000_000),
        ("512B", 512),
        ("512", 512),
        ("1 TiB", 1_099_511_627_776),
        (4096, 4096),
    ],
)
def test_sizes(text: str | int, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1XB", "1.5B", "0.3KiB", "1MiBs", -1])
def test_no_sizes(text: str | int) -> None:
    with pytest.raises(ValueError, match="expected a"):
        size_bytes(text)


@given(st.integers(0, 2**40))
def test_a_size_is_read_as_it_is_written(size: int) -> None:
    assert size_bytes(size_text(size)) == size


@given(st.integers(0, 10**9).map(lambda ms: ms / 1000))
def test_a_duration_is_read_as_it_is_written(seconds: float) -> None:
    assert duration_s(duration_text(seconds)) == pytest.approx(seconds, rel=1e-5)
