"""The thread that writes: nobody waits for it, nothing is lost in silence."""

import logging
import os
import threading
from collections.abc import Sequence

import pytest

from hubbub.log.relay import Relay


class Kept:
    """A sink that keeps lines; closed, it blocks its writer."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.writes = 0
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def write(self, records: Sequence[logging.LogRecord]) -> None:
        self.entered.set()
        self.open.wait()
        self.writes += 1
        self.lines += [record.getMessage() for record in records]


@pytest.fixture
def logger() -> logging.Logger:
    logger = logging.Logger("relayed")
    logger.propagate = False
    return logger


def test_lines_arrive_in_order_and_in_few_writes(logger: logging.Logger) -> None:
    sink = Kept()
    relay = Relay(sink)
    logger.addHandler(relay)
    for number in range(500):
        logger.info("line %d", number)
    relay.flush()
    assert sink.lines == [f"line {number}" for number in range(500)]
    assert sink.writes < 100
    relay.close()
    logger.info("after the end")
    assert sink.lines[-1] == "after the end"


def test_a_message_is_made_when_it_is_logged(logger: logging.Logger) -> None:
    sink = Kept()
    relay = Relay(sink)
    logger.addHandler(relay)
    changing = ["then"]
    logger.info("%s", changing)
    changing[0] = "now"
    relay.close()
    assert sink.lines == ["['then']"]


def test_a_line_that_cannot_be_formatted_ends_nobody(logger: logging.Logger) -> None:
    sink = Kept()
    relay = Relay(sink)
    logger.addHandler(relay)
    logger.warning("got %d bytes", "many")
    relay.close()
    assert "a line cannot be formatted: TypeError: " in sink.lines[0]
    assert "test_relay.py:" in sink.lines[0]
    assert "got %d bytes" in sink.lines[0]


def test_nobody_waits_for_a_sink_that_takes_nothing(logger: logging.Logger) -> None:
    sink = Kept()
    sink.open.clear()
    relay = Relay(sink, limit=10)
    logger.addHandler(relay)
    logger.info("first")
    assert sink.entered.wait(5)
    for number in range(25):
        logger.info("line %d", number)
    assert relay.lost == 15
    sink.open.set()
    relay.close()
    assert sink.lines[:11] == ["first", *(f"line {number}" for number in range(10))]
    assert sink.lines[11:] == [
        "15 log lines were lost: they came faster than they could be written"
    ]


def test_a_closed_stream_is_counted(logger: logging.Logger) -> None:
    class Gone:
        def write(self, records: Sequence[logging.LogRecord]) -> None:
            raise BrokenPipeError

    relay = Relay(Gone())
    logger.addHandler(relay)
    logger.info("to nobody")
    relay.close()
    assert relay.lost == 1


def test_a_forked_child_writes_too(logger: logging.Logger) -> None:
    reader, writer = os.pipe()

    class Pipe:
        def write(self, records: Sequence[logging.LogRecord]) -> None:
            os.write(writer, "".join(record.getMessage() for record in records).encode())

    relay = Relay(Pipe())
    logger.addHandler(relay)
    child = os.fork()
    if child == 0:
        logger.info("from the child")
        relay.close()
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "from the child"
    relay.close()
