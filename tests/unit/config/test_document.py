"""TOML with positions: the scanner agrees with tomllib about what there is, and finds its lines."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.config.document import Malformed, Path, Value, dotted, key_path, literal, read

TEXT = '''# a comment
threads = 1
[server]
name = "a # is no comment here"   # but here
"quoted.key" = """
two
lines \\""" and a quote\""""
x.y = [ 1,
  [2, 3], # two
  { b = 3, c = ['4'] },
]
since = 1979-05-27 07:32:00
[[listen]]
bind = '\'\'[server]\'\''
[[listen]]
[[app]]
[app.config]
k = true
[[app.config.l]]
z = 1
[[app.config.l]]
[[app]]
[app.config]
q = 1
'''


def test_every_line_is_found() -> None:
    lines = {dotted(path): line for path, line in read(TEXT).lines.items()}
    assert lines == {
        "threads": 2,
        "server": 3,
        "server.name": 4,
        "server.quoted.key": 5,
        "server.x": 8,
        "server.x.y": 8,
        "server.x.y.0": 8,
        "server.x.y.1": 9,
        "server.x.y.1.0": 9,
        "server.x.y.1.1": 9,
        "server.x.y.2": 10,
        "server.x.y.2.b": 10,
        "server.x.y.2.c": 10,
        "server.x.y.2.c.0": 10,
        "server.since": 12,
        "listen": 13,
        "listen.0": 13,
        "listen.0.bind": 14,
        "listen.1": 15,
        "app": 16,
        "app.0": 16,
        "app.0.config": 17,
        "app.0.config.k": 18,
        "app.0.config.l": 19,
        "app.0.config.l.0": 19,
        "app.0.config.l.0.z": 20,
        "app.0.config.l.1": 21,
        "app.1": 22,
        "app.1.config": 23,
        "app.1.config.q": 24,
    }


KEYS = st.text("ab-_1 \".é'#[]", min_size=1, max_size=4)
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(
    KEYS,
    VALUES | st.lists(st.dictionaries(KEYS, VALUES, max_size=3), min_size=1, max_size=3),
    max_size=4,
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def inline(value: Value, blank: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value) if "'" in value else f"'{value}'"
        case list():
            items = f",{blank}".join(inline(one, blank) for one in value)
            return f"[{blank}{items}{blank}]"
        case dict():
            pairs = ", ".join(f"{quoted(key)} = {inline(one, ' ')}" for key, one in value.items())
            return f"{{ {pairs} }}"
        case _:
            return str(value)


def written(values: dict[str, Value], header: str = "") -> Iterator[str]:
    """A document as people write it: sections where they can be, the rest inline."""
    sections = {key: one for key, one in values.items() if isinstance(one, dict)}
    lists = {
        key: one
        for key, one in values.items()
        if isinstance(one, list) and one and all(isinstance(item, dict) for item in one)
    }
    for key, one in values.items():
        if key not in sections and key not in lists:
            yield f"{quoted(key)} = {inline(one, ' # [x] = ' + chr(10))}"
    for key, table in sections.items():
        yield f"[{header}{quoted(key)}]"
        yield from written(table, f"{header}{quoted(key)}.")
    for key, items in lists.items():
        for item in items:
            assert isinstance(item, dict)
            yield f"\n[[ {header}{quoted(key)} ]]"
            yield from written(item, f"{header}{quoted(key)}.")


def paths(value: Value, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, one in value.items():
            yield from paths(one, (*path, key))
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from paths(one, (*path, index))


@given(DOCUMENTS)
def test_the_scanner_finds_what_tomllib_reads(values: dict[str, Value]) -> None:
    text = "\n".join(written(values))
    document = read(text)
    assert document.values == values
    assert set(document.lines) == set(paths(values))
    for path, line in document.lines.items():
        key = path[-1]
        assert isinstance(key, int) or quoted(key) in text.split("\n")[line - 1]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a", (1, 2), 'expected "=" after the key'),
        ("a = 1MiB", (1, 6), "texts such as"),
        ("a = yes", (1, 5), "expected a value"),
        ("a = [1, 2\n", (1, 10), 'expected "]"'),
        ("\n[a\n", (2, 3), 'expected "]" after the name of a section'),
        ("[a]\n[a]", (2, 3), "begun before"),
        ("a = 1\na = 2\n", (2, 6), "given before"),
        ('a = "x\n', (1, 7), "expected a quotation mark"),
        ("a = '''x", (1, 9), "expected \"'''\""),
        ("a = " + "[" * 9000, (0, 0), "nested too deeply"),
    ],
)
def test_what_is_no_toml(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(Malformed) as malformed:
        read(text)
    assert message in str(malformed.value)
    assert (malformed.value.line, malformed.value.column) == place


def test_keys_and_literals_of_a_command_line() -> None:
    assert key_path("server.threads") == ("server", "threads")
    assert key_path('log.levels."hubbub.tls"') == ("log", "levels", "hubbub.tls")
    assert key_path("listen.0.bind") == ("listen", "0", "bind")
    for wrong in ("", ".", "a..b", "a b", "a\nb", "a = 1"):
        with pytest.raises(ValueError, match="expected a key"):
            key_path(wrong)
    assert literal("[1, 'a']") == [1, "a"]
    for wrong in ("", "bare", "1\nb = 2"):
        with pytest.raises(ValueError, match=r"."):
            literal(wrong)
