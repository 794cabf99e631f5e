"""How protected parts travel through a service: as marks in a text, or as elements (pure)."""

import html
import re

from hubbub.translation.backend import Line

_MARK = re.compile(r"\{\s*(\d{1,3})\s*\}")
_ELEMENT = re.compile(
    r"<(span|x)\b[^<>]*?\bid\s*=\s*[\"']?p(\d{1,3})[\"']?[^<>]*?(?:/>|>.*?</\1\s*>)",
    re.IGNORECASE | re.DOTALL,
)


def with_marks(line: Line) -> str:
    """The line as plain text; protected parts are "{0}", as in the texts of programs."""
    return "".join(run.text if run.number is None else f"{{{run.number}}}" for run in line)


def without_marks(text: str) -> tuple[str | int, ...]:
    """Words and numbers, out of a text with marks."""
    parts: list[str | int] = []
    at = 0
    for match in _MARK.finditer(text):
        parts += _nonempty(text[at : match.start()])
        parts.append(int(match[1]))
        at = match.end()
    return (*parts, *_nonempty(text[at:]))


def with_elements(line: Line, name: str = "span") -> str:
    """The line as HTML or XML; protected parts are elements that are not to be translated."""
    return "".join(
        html.escape(run.text, quote=False)
        if run.number is None
        else f'<{name} translate="no" class="notranslate" id="p{run.number}">'
        f"{html.escape(run.text, quote=False)}</{name}>"
        for run in line
    )


def without_elements(text: str) -> tuple[str | int, ...]:
    """Words and numbers, out of HTML with such elements."""
    parts: list[str | int] = []
    at = 0
    for match in _ELEMENT.finditer(text):
        parts += _nonempty(html.unescape(text[at : match.start()]))
        parts.append(int(match[2]))
        at = match.end()
    return (*parts, *_nonempty(html.unescape(text[at:])))


def _nonempty(text: str) -> list[str]:
    return [text] if text else []
