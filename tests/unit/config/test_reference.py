"""Settings as data: nothing declared without a sentence, no flag twice."""

from dataclasses import dataclass, fields
from typing import Any

import pytest

from hubbub.config import (
    REQUIRED,
    AdminSettings,
    AppSettings,
    CertificatePair,
    Configuration,
    ListenSettings,
    LogSettings,
    ServerSettings,
    StorageSettings,
    TlsSettings,
    describe,
)
from hubbub.config.settings import SECTIONS


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
        _ = describe(Silent)[0].sentence


DECLARED = (
    AdminSettings,
    AppSettings,
    CertificatePair,
    Configuration,
    ListenSettings,
    LogSettings,
    ServerSettings,
    StorageSettings,
    TlsSettings,
)


@pytest.mark.parametrize("declaration", DECLARED)
def test_every_declaration_can_be_read_back(declaration: type[Any]) -> None:
    settings = describe(declaration)
    assert [one.name for one in settings] == [field.name for field in fields(declaration)]
    assert all(one.sentence.endswith(".") for one in settings)
    places = [(one.section, one.key) for one in settings]
    assert len(set(places)) == len(places)


def test_every_server_setting_has_its_section() -> None:
    assert {one.section for one in describe(ServerSettings)} == set(SECTIONS)


def test_a_key_is_the_name_without_its_unit() -> None:
    keys = {one.name: one.key for one in describe(ServerSettings)}
    assert keys["message_limit_bytes"] == "message_limit"
    assert keys["ping_interval_s"] == "ping_interval"
    assert {one.name: one.key for one in describe(AppSettings)}["import_"] == "import"


def test_what_must_be_said_has_no_default() -> None:
    required = [one.name for one in describe(CertificatePair) if one.default is REQUIRED]
    assert required == ["cert", "key"]
    assert {one.default_text for one in describe(CertificatePair)} == {""}


def test_a_module_is_called_after_its_file() -> None:
    assert AppSettings("hubbub.apps.chat:app").label == "chat"
    assert AppSettings("examples/board.py:app").label == "board"
    assert AppSettings("chat:app", name="lobby").label == "lobby"
