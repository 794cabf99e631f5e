"""Keys of services: where they are read, and what they say about whom to ask."""

from pathlib import Path

import msgspec
import pytest

from hubbub.errors import Misuse
from hubbub.translation import TranslationSettings
from hubbub.translation.backends import DeepL


def test_free_keys_of_deepl_go_elsewhere() -> None:
    assert DeepL("abc:fx")._wire._url == "https://api-free.deepl.com"
    assert DeepL("abc")._wire._url == "https://api.deepl.com"


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret-of-the-file\n")
    settings = msgspec.convert(
        {"backends": [{"kind": "deepl", "api_key_file": str(file)}, {"kind": "apertium"}]},
        TranslationSettings,
    )
    assert settings.translator(tmp_path).stats().backends.keys() == {"deepl", "apertium"}
    file.unlink()
    with pytest.raises(Misuse, match="no key in"):
        settings.translator(tmp_path)


def test_a_key_is_never_printed() -> None:
    settings = msgspec.convert(
        {"backends": [{"kind": "google", "api_key": "secret"}]}, TranslationSettings
    )
    assert "secret" not in repr(settings)
