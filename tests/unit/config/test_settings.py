"""The settings of a server: safe defaults, what is refused, what the engine is told."""

from dataclasses import FrozenInstanceError

import pytest

from hubbub.config import ServerSettings


def test_defaults_are_those_that_threats_ask_for() -> None:
    settings = ServerSettings()
    assert settings.request_line_limit_bytes == 8 * 1024
    assert settings.head_limit_bytes == 16 * 1024
    assert settings.field_limit == 100
    assert settings.head_timeout_s == 10
    assert settings.message_limit_bytes == 1024 * 1024
    assert settings.message_timeout_s == 30
    assert settings.close_timeout_s == 5
    assert settings.ping_interval_s == settings.ping_timeout_s == 20
    assert settings.outbox_limit_bytes == 1024 * 1024
    assert settings.compression_window_bits <= 12


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ServerSettings().field_limit = 1


def test_parsed_from_what_people_write() -> None:
    settings = ServerSettings.parse(
        {
            "message_limit_bytes": "16MiB",
            "ping_interval_s": "1min",
            "field_limit": "50",
            "compression": "off",
        }
    )
    assert settings == ServerSettings(
        message_limit_bytes=16 * 1024 * 1024,
        ping_interval_s=60,
        field_limit=50,
        compression="off",
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("no_such", "1", "no such setting: no_such"),
        ("field_limit", "many", "field_limit: expected a whole number"),
        ("field_limit", -1, "field_limit: expected a number from 0"),
        ("message_limit_bytes", "big", "message_limit_bytes: expected a size"),
        ("ping_interval_s", "often", "ping_interval_s: expected a duration"),
        ("compression", "zstd", 'compression: expected "off", "shared" or "dedicated"'),
        ("compression_window_bits", 8, "compression_window_bits: expected 9 to 15"),
        ("compression_window_bits", 16, "compression_window_bits: expected 9 to 15"),
        ("compression_level", 0, "compression_level: expected 1 to 9"),
        ("threads", 0, "threads: expected 1 to 63"),
        ("threads", 64, "threads: expected 1 to 63"),
        (
            "outbox_low_bytes",
            "2MiB",
            "outbox_low_bytes: expected at most outbox_limit, which is 1MiB",
        ),
    ],
)
def test_refused(name: str, value: str | int, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        ServerSettings.parse({name: value})


def test_the_engine_is_told_only_what_it_acts_upon() -> None:
    told = ServerSettings().native()
    assert not {"shutdown_timeout_s", "blocked_warning_s"} & told.keys()
    assert "held_limit_bytes" not in told  # the engine knows the machine's memory
    assert told["message_limit_bytes"] == 1_048_576
    assert ServerSettings(held_limit_bytes=1).native()["held_limit_bytes"] == 1
