"""Settings as data: nothing declared without a sentence, no flag twice."""

from dataclasses import dataclass, fields

import pytest

from hubbub.config import ServerSettings, describe


def test_each_setting_has_a_sentence_and_a_flag_of_its_own() -> None:
    settings = describe(ServerSettings)
    assert [one.name for one in settings] == [field.name for field in fields(ServerSettings)]
    assert all(one.sentence.endswith(".") for one in settings)
    assert len({one.flag for one in settings}) == len(settings)


def test_flags_are_spelled_as_uvicorn_does_where_it_has_them() -> None:
    flags = {one.name: one.flag for one in describe(ServerSettings)}
    assert flags["message_limit_bytes"] == "--ws-max-size"
    assert flags["ping_interval_s"] == "--ws-ping-interval"
    assert flags["outbox_limit_bytes"] == "--outbox-limit"


def test_defaults_are_written_for_people() -> None:
    defaults = {one.name: one.default_text for one in describe(ServerSettings)}
    assert defaults["message_limit_bytes"] == "1MiB"
    assert defaults["message_timeout_s"] == "30s"
    assert defaults["threads"] == "1"


def test_a_setting_without_a_sentence_is_refused() -> None:
    @dataclass(frozen=True)
    class Silent:
        size_bytes: int = 1
        other_bytes: int = 2

    with pytest.raises(TypeError, match="a setting without a sentence: size_bytes"):
        describe(Silent)
