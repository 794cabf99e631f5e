"""The walls of ARCHITECTURE.md, checked: who may depend on whom, and where `unsafe` may stand.

The imports inside the Python package are checked by import-linter (pyproject.toml); this file
checks the crates, and that the stub of the native module describes what was built.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

EDGES = {
    "hubbub-protocol": set[str](),
    "hubbub-hub": set[str](),
    "hubbub-server": {"hubbub-protocol", "hubbub-hub"},
    "hubbub-bench": {"hubbub-protocol"},
    "hubbub-python": {"hubbub-protocol", "hubbub-hub", "hubbub-server", "hubbub-bench"},
    "hubbub-bare": set[str](),
}
"""Which crate of ours may depend on which; `hubbub-bare`, our measure, must owe us nothing."""

PURE = {"hubbub-protocol", "hubbub-hub"}
"""Crates that may not touch a socket, a clock, a thread or a random number."""

# Addresses are values, so `std::net` may be used for them.
IMPURE = re.compile(
    r"\bstd::(fs|thread|os|process|env)\b|\b(Instant|SystemTime)::now\b|\b(Tcp|Udp|Unix)(Stream|Listener|Socket)\b"
)

UNSAFE_ALLOWED = (
    "crates/protocol/src/mask.rs",
    "crates/protocol/src/transcode/",
    "crates/server/src/memory.rs",
    "crates/server/src/reactor.rs",
    "crates/server/src/slices.rs",
    *(
        f"crates/python/src/{name}.rs"
        for name in ("cell", "engine", "large", "park", "steps", "text")
    ),
    "bench/bare/src/frame.rs",
)
"""Where safe Rust was measured to be too slow, or cannot say it at all."""


def rust_files() -> list[Path]:
    return sorted(path for top in ("crates", "bench") for path in ROOT.glob(f"{top}/**/*.rs"))


def without_comments(source: str) -> str:
    """The code alone. Good enough for ours: no `//` stands in a string that matters here."""
    return re.sub(r"//.*", "", source)


def without_tests(source: str) -> str:
    """What is compiled into the crate: tests stand at the bottom of a file."""
    return source.partition("#[cfg(test)]")[0]


def test_crates_depend_only_downward() -> None:
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    packages = json.loads(metadata.stdout)["packages"]
    found = {
        package["name"]: {
            dependency["name"]
            for dependency in package["dependencies"]
            if dependency["kind"] is None and dependency["name"] in EDGES
        }
        for package in packages
    }
    assert found.keys() == EDGES.keys()
    beyond = {name: found[name] - EDGES[name] for name in found if found[name] - EDGES[name]}
    assert beyond == {}


@pytest.mark.parametrize("crate", sorted(PURE))
def test_pure_crates_touch_nothing_of_the_world(crate: str) -> None:
    folder = ROOT / "crates" / crate.removeprefix("hubbub-") / "src"
    touching = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in sorted(folder.glob("**/*.rs"))
        if (found := IMPURE.search(without_tests(without_comments(path.read_text()))))
    ]
    assert touching == []


def test_unsafe_stands_only_where_it_is_allowed() -> None:
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in rust_files()
        if not str(path.relative_to(ROOT)).startswith(UNSAFE_ALLOWED)
        and re.search(r"\bunsafe\b(?!_)", without_tests(without_comments(path.read_text())))
    ]
    assert elsewhere == []


def test_every_rust_file_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in rust_files()
        if not path.read_text().startswith(("//! ", "#!["))
    ]
    assert silent == []


def test_every_python_file_says_what_it_is() -> None:
    files = [
        path
        for top in ("python", "examples", "tests", "bench")
        for path in ROOT.glob(f"{top}/**/*.py")
    ]
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted(files)
        if path.read_text().strip() and not path.read_text().startswith(('"""', "#!"))
    ]
    assert silent == []


def test_the_stub_describes_the_built_module() -> None:
    stubtest = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "hubbub._core", "--concise"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert stubtest.returncode == 0, stubtest.stdout + stubtest.stderr
