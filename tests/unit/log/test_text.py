"""Log lines as text: nothing from the network reaches a terminal raw (H9)."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.log import EscapingFormatter, printable
from hubbub.report import Reports


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("/plain/ü/漢", "/plain/ü/漢"),
        ("a\r\nb", r"a\x0d\x0ab"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("x" * 600, "x" * 512 + "…"),
    ],
)
def test_printable(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(st.text())
def test_no_control_character_survives(raw: str) -> None:
    assert all(char.isprintable() or char.isspace() or ord(char) > 0x9F for char in printable(raw))
    assert not set(map(chr, [*range(32), *range(0x7F, 0xA0)])) & set(printable(raw))
    printable(raw).encode()


def test_the_formatter_escapes_what_applications_log() -> None:
    record = logging.LogRecord("app", logging.INFO, "", 0, "nick %s", ("a\nb\x1b",), None)
    assert EscapingFormatter("%(message)s").format(record) == r"nick a\x0ab\x1b"


def test_reports_are_logged_with_connection_and_path(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[object] = []
    reports = Reports()
    reports.listener = lambda *report: heard.append(report)
    error = ValueError("oops")
    with caplog.at_level(logging.WARNING, "hubbub"):
        reports("handler", error, 42, "/ws/\n")
        reports("slow-consumer", None, 43, "/ws")
    failed, slow = caplog.records
    assert failed.getMessage() == r"handler: connection 42, path /ws/\x0a"
    assert failed.levelno == logging.ERROR
    assert failed.exc_info is not None
    assert slow.levelno == logging.WARNING
    assert heard == [("handler", error, 42, "/ws/\n"), ("slow-consumer", None, 43, "/ws")]
