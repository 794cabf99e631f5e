"""Whatever is wrong with a configuration is told in one message, with its file, line and key."""

import re

import pytest

from hubbub.config import Mistaken, load
from hubbub.config.load import file

from ...wrong_files import WrongFile, wrong_files


def test_the_table_is_read_whole() -> None:
    cases = wrong_files()
    assert len(cases) >= 60
    assert len({case.name for case in cases}) == len(cases)


@pytest.mark.parametrize("case", wrong_files(), ids=lambda case: case.name)
def test_a_wrong_file(case: WrongFile) -> None:
    with pytest.raises(Mistaken) as mistaken:
        load(file(case.text, "hubbub.toml"))
    assert str(mistaken.value) == case.message
    for line in case.message.split("\n")[1 if "\n" in case.message else 0 :]:
        assert re.match(r" *hubbub\.toml(:\d+){0,2}: ", line)
