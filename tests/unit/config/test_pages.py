"""The example file and the reference page: from the declarations, and as they are committed."""

import re
from pathlib import Path

from hubbub.config import Configuration, load, pages
from hubbub.config.load import file
from hubbub.config.reader import Reader

DOCS = Path(__file__).parents[3] / "docs"


def test_the_committed_pages_are_what_is_printed() -> None:
    for name, page in (("configuration.md", pages.reference()), ("hubbub.toml", pages.example())):
        committed = (DOCS / name).read_text(encoding="utf-8")
        assert committed == page, f"docs/{name} is not up to date: make docs"


def test_the_example_says_what_holds_anyway() -> None:
    assert load(file(pages.example(), "hubbub.toml")).configuration == Configuration()


def test_every_line_of_the_example_may_be_used() -> None:
    text = re.sub(r"^#(?=\[|\w+ = )", "", pages.example(), flags=re.MULTILINE)
    reader = Reader()
    configuration = reader.table(Configuration, file(text, "hubbub.toml"), ())
    assert reader.mistakes == []
    assert configuration.listen[0].tls.more[0].cert == "/etc/hubbub/example.net.pem"
    assert configuration.apps[0].import_ == "chat:app"


def test_the_page_has_every_key_once() -> None:
    page = pages.reference()
    for section in pages.sections():
        _, _, rest = page.partition(f"## `{section.header}`\n")
        rows = rest.partition("\n## ")[0]
        for setting in section.settings:
            assert rows.count(f"| `{setting.key}` |") == 1
            assert setting.sentence.replace("|", r"\|") in rows
