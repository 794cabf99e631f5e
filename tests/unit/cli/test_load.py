"""From "FILE.py:app" to the app, or to one message."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.app import App
from hubbub.cli.load import home_of, load
from hubbub.cli.mistake import IMPORT, Mistake

APP = "from hubbub import App\n"


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    path, modules = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder: Path, name: str, source: str) -> str:
    file = folder / name
    file.write_text(source)
    return str(file)


def test_a_file(tmp_path: Path) -> None:
    file = write(tmp_path, "mine.py", APP + "app = App()\nother = App()\n")
    assert isinstance(load(f"{file}:other", tmp_path), App)
    assert isinstance(load(file, tmp_path), App)
    assert home_of(f"{file}:app", Path()) == tmp_path


def test_a_module_and_an_attribute_within(tmp_path: Path) -> None:
    write(tmp_path, "some_module.py", APP + "class Box:\n    app = App()\n")
    assert isinstance(load("some_module:Box.app", tmp_path), App)
    assert home_of("some_module:app", tmp_path) == tmp_path


def test_a_file_finds_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "neighbour_of_mine.py", APP + "app = App()\n")
    file = write(tmp_path, "mine.py", "from neighbour_of_mine import app\n")
    assert isinstance(load(file, Path()), App)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("", "mine.py", "there is no app, and no App at all"),
        (APP + "one = App()\ntwo = App()\n", "mine.py", "there is no app; apps here: one, two"),
        (APP + "app = App\none = App()\n", "mine.py:app", "app is not an App; apps here: one"),
        ("x = (\n", "mine.py", "mine.py:1: SyntaxError: '(' was never closed"),
        ("\nx = y\n", "mine.py", "mine.py:2: NameError: name 'y' is not defined"),
        ("import no_such_module_here\n", "mine.py", "mine.py:1: ModuleNotFoundError"),
        (
            APP + "app = App()\n@app.websocket('/')\ndef f(ws): ...\n",
            "mine.py",
            "mine.py:3: Misuse: f: a websocket handler is `async def`",
        ),
        ("", "none.py", "no such file"),
        ("", "no_such_module_here:app", "no such module: no_such_module_here"),
        ("", "no.such.module.here", "no such module: no.such.module.here"),
    ],
)
def test_mistakes(tmp_path: Path, source: str, target: str, message: str) -> None:
    write(tmp_path, "mine.py", source)
    place = str(tmp_path / target) if ".py" in target else target
    with pytest.raises(Mistake) as mistake:
        load(place, tmp_path)
    assert message in str(mistake.value)
    assert mistake.value.code == IMPORT
    assert "\n" not in str(mistake.value)
