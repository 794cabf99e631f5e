"""What README and docs show must work, what they point at must be there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ..serving import ROOT, serving

DOCUMENTS = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/results/*.md")))
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document: str) -> list[str]:
    return CODE.findall((ROOT / document).read_text(encoding="utf-8"))


def whole_programs(document: str) -> list[str]:
    return [block for block in blocks(document) if "app = App(" in block]


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ("README.md", 1),
        ("docs/guide.md", 2),
        ("docs/hub.md", 1),
        ("docs/modules.md", 1),
        ("docs/translation.md", 1),
    ],
)
def test_whole_programs_can_be_served(
    document: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_SECRET", "a secret of more than sixteen bytes")
    programs = whole_programs(document)
    assert len(programs) == count
    for number, program in enumerate(programs):
        file = tmp_path / f"program{number}.py"
        file.write_text(program, encoding="utf-8")
        with serving(f"{file}:app") as address:
            assert address


def test_the_test_of_the_guide_passes(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(whole_programs("docs/guide.md")[0], encoding="utf-8")
    (test,) = [block for block in blocks("docs/guide.md") if "hubbub.testing" in block]
    (tmp_path / "test_echo.py").write_text(test, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_echo.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr


def test_links_lead_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8"))
    }
    assert named <= targets


def test_the_readme_names_every_dependency() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    wanted = {
        name
        for manifest in (ROOT / "Cargo.toml", *ROOT.glob("crates/*/Cargo.toml"))
        for section, table in tomllib.loads(manifest.read_text(encoding="utf-8")).items()
        if section.endswith("dependencies")
        for name in table
        if not name.startswith("hubbub")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    python = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    wanted |= {re.split(r"[^\w-]", name)[0] for name in python}
    assert {name for name in wanted if f"`{name}`" not in readme} == set()


def test_every_test_that_reliability_names_exists() -> None:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    rust = [path for top in ("crates", "fuzz") for path in ROOT.glob(f"{top}/**/*.rs")]
    sources = "".join(path.read_text(encoding="utf-8") for path in rust)
    modules = {path.stem for path in rust} | {path.parent.name for path in rust}
    for file, test in re.findall(r"`([\w/]+\.py)(?:::(\w+))?", text):
        path = ROOT / file if file.startswith("fuzz/") else ROOT / "tests" / file
        assert path.is_file(), file
        assert not test or f"def {test}" in path.read_text(encoding="utf-8"), f"{file}::{test}"
    # A name that ends in an ellipsis is the beginning of one.
    for test in re.findall(r"`(?:\w+::)+(\w+)", text):
        assert test in modules or f"fn {test}" in sources, test
