"""What the page of irctest's results says."""

from pathlib import Path

from .irc import Case, read, summary
from .irc_reasons import REASONS

RESULTS = """<testsuites><testsuite>
<testcase classname="irctest.server_tests.join.JoinTestCase" name="testJoin"/>
<testcase classname="irctest.server_tests.join.JoinTestCase" name="testOdd"><failure/></testcase>
<testcase classname="irctest.server_tests.chmodes.key.KeyTestCase" name="testKey[a.b]">
  <failure message="no"/></testcase>
<testcase classname="irctest.server_tests.who.WhoTestCase" name="testWho"><skipped/></testcase>
</testsuite></testsuites>"""


def test_results_become_a_page(tmp_path: Path) -> None:
    file = tmp_path / "results.xml"
    file.write_text(RESULTS)
    cases = read(file)
    assert cases == [
        Case("join", "JoinTestCase::testJoin", "passed"),
        Case("join", "JoinTestCase::testOdd", "failed"),
        Case("key", "KeyTestCase::testKey[a.b]", "failed"),
        Case("who", "WhoTestCase::testWho", "skipped"),
    ]
    page = summary(cases, "abc123")
    assert "| `join` | 1 | 1 | 0 |" in page
    assert "| **all** | 1 | 2 | 1 |" in page
    assert "**Not explained.**\n\n- `join::JoinTestCase::testOdd`" in page
    assert "keys and no limits" in page


def test_no_reason_hides_another() -> None:
    starts = [start for start, _ in REASONS]
    for index, start in enumerate(starts):
        assert not any(start.startswith(earlier) for earlier in starts[:index])
