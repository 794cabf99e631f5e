"""The policy of a page allows its own scripts and styles, and nothing else."""

import base64
import hashlib

from hubbub.page import content_security_policy


def source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def directives(html: str) -> dict[str, list[str]]:
    policy = content_security_policy(html).split("; ")
    return {name: sources for name, *sources in (one.split() for one in policy)}


def test_inline_elements_are_allowed_by_their_hash() -> None:
    policy = directives(
        "<style>a { b: c }</style><script>if (1 < 2) x('</b>');</script><SCRIPT>\nü\n</SCRIPT>"
    )
    assert policy["style-src"] == ["'self'", source("a { b: c }")]
    assert policy["script-src"] == ["'self'", source("if (1 < 2) x('</b>');"), source("\nü\n")]


def test_all_else_is_refused() -> None:
    policy = directives("<script src='x.js'></script><p onclick='x()' style='y'>")
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert "unsafe" not in str(policy)


def test_ends_of_lines_are_hashed_as_browsers_read_them() -> None:
    policy = directives("<script>\r\na()\rb()\n</script>")
    assert policy["script-src"] == ["'self'", source("\na()\nb()\n")]
