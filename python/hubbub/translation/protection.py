"""What of a message is words, and what must come through as it is (pure).

A text is taken apart into lines, a line into runs: words, and protected parts: code, addresses,
nicks, emoji, commands, the marks of the inline format, terms of one's own. Only words are shown to
a back end; protected parts travel as numbers, and each must come back exactly once.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hubbub.translation.backend import Line, Run

_LETTERS_NEEDED = 2
"""With fewer there is nothing to translate in a line."""

_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
# What begins a line and is no word: quotation marks of the format, list marks, headings.
_PREFIX = re.compile(r"^(?:\s*(?:>|[-*+]\s|\d{1,3}[.)]\s|#{1,6}\s))+\s*|^\s+")
_SUFFIX = re.compile(r"\s+$")
# "/me" is followed by words; everything behind another command is its arguments.
_ME = re.compile(r"^/me(?=\s|$)")
_COMMAND = re.compile(r"^/[a-z][\w-]*(?:\s|$)", re.IGNORECASE)
# What people in meetings say to robots: "q+", "present+ Ada", "ack me".
_QUEUE = re.compile(r"^(?:(?:q|v|present|agenda)[+=-]|[qv]\?|q==)(?=\s|$)", re.IGNORECASE)

_EMOJI = (
    r"(?:[\U0001F1E6-\U0001F1FF]{2}"
    r"|[0-9#*]\uFE0F?\u20E3"
    r"|(?:[\u00A9\u00AE\u203C\u2049\u2122\u2139\u2194-\u21AA\u231A-\u23FF\u25AA-\u27BF"
    r"\u2934\u2935\u2B05-\u2B55\u3030\u303D\u3297\u3299]|[\U0001F000-\U0001FAFF])"
    r"[\uFE0F\u200D\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F\u2640\u2642\u2695\u2764\U0001F000-\U0001FAFF]*)"
)
_INLINE = "|".join(
    (
        r"``(?:[^`\n]|`(?!`))+``|`[^`\n]+`",
        # A label is words, its address is not.
        r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)",
        r"\[(?=[^\[\]\n]+\]\()",
        r"(?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]{0,20}://|mailto:|www\.)[^\s<>\"`]*[^\s<>\"`.,;:!?'\)\]*_~]",
        r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",
        r"(?<![\w@])@[\w][\w.\-\[\]{}|^]*[\w\]}|^]|(?<![\w@])@\w",
        r"(?<![\w&])#[a-z_][\w-]*",
        r":[a-z0-9_+-]{2,32}:",
        r"\{\d+\}|%\d*\$?[sd]",
        r"\*\*|~~|\*(?=\S)|(?<=\S)\*",
        _EMOJI,
    )
)
_HTML = (
    r"(?is:<!--.*?-->|<(code|pre|script|style|kbd|samp)\b[^>]*>.*?</\1\s*>"
    r"|<(\w+)\b[^>]*\btranslate\s*=\s*[\"']?no\b[^>]*>.*?</\2\s*>|<[^<>]*>)"
)
_LETTER = re.compile(r"[^\W\d_]")
_TERM_LIMIT = 200
_PAIRED = ("**", "*", "~~", "[")


class Mangled(Exception):
    """A protected part did not come back exactly once, or marks without what they marked."""


@dataclass(frozen=True)
class Plan:
    """A text, taken apart.

    Lines whose words are to be translated are in `lines`; `rebuild` puts everything together.
    """

    lines: tuple[Line, ...]
    """What a back end is given."""

    _frame: tuple[str | tuple[str, int, str], ...]
    """In order: text as it was, or (before, line, after)."""

    _is_html: bool

    def rebuild(self, translated: Sequence[str]) -> str:
        """The whole text, with these lines in place of the words."""
        parts: list[str] = []
        for one in self._frame:
            if isinstance(one, str):
                parts.append(one)
            else:
                before, number, after = one
                parts += (before, translated[number], after)
        return "".join(parts)

    def restored(self, number: int, answer: Sequence[str | int]) -> str:
        """A translated line with its protected parts put back.

        Raises:
            Mangled: One is missing, or is there twice; or what stood between two marks, such as
                the words of "**so**", stands elsewhere.
        """
        line = self.lines[number]
        protected = {run.number: run.text for run in line if run.number is not None}
        numbers = [part for part in answer if isinstance(part, int)]
        if sorted(numbers) != sorted(protected):
            raise Mangled
        if any(_is_empty(answer, *pair) for pair in _pairs(line)):
            raise Mangled
        parts = [
            self._written(part) if isinstance(part, str) else protected[part] for part in answer
        ]
        return _tightened(parts, answer, line).strip()

    def pieced(self, number: int, words: Sequence[str]) -> str:
        """A line whose words were translated run by run, which nothing can mangle."""
        translated = iter(words)
        parts: list[str] = []
        for run in self.lines[number]:
            if run.number is not None or not has_words(run.text):
                parts.append(run.text if run.number is not None else self._written(run.text))
                continue
            lead = run.text[: len(run.text) - len(run.text.lstrip())]
            trail = run.text[len(run.text.rstrip()) :]
            parts.append(lead + self._written(next(translated).strip()) + trail)
        return "".join(parts).strip()

    def _written(self, words: str) -> str:
        # Lines stay lines: what a service has broken is one again.
        return html.escape(words, quote=False) if self._is_html else " ".join(words.split("\n"))


def pieces(line: Line) -> list[Line]:
    """The runs of a line that have words, each as a line of its own."""
    return [(Run(run.text.strip()),) for run in line if run.number is None and has_words(run.text)]


def has_words(text: str) -> bool:
    """Whether there is anything to translate."""
    found = 0
    for _ in _LETTER.finditer(text):
        found += 1
        if found == _LETTERS_NEEDED:
            return True
    # One character of these scripts is a word.
    return found == 1 and any("\u2e80" <= character <= "\ud7ff" for character in text)


def plan(text: str, *, terms: Iterable[str] = (), is_html: bool = False) -> Plan:
    """Takes a text apart.

    Args:
        text: A message.
        terms: Words of one's own that stay as they are: nicks, names of products.
        is_html: Whether tags and entities are markup.
    """
    pattern = _pattern(tuple(sorted(set(terms))[:_TERM_LIMIT]), is_html)
    if is_html:
        return _assembled([_markup_line(text, pattern)], is_html)
    if _COMMAND.match(text) and not _ME.match(text):
        return Plan((), (text,), is_html)
    rows: list[str | tuple[str, Line, str]] = []
    fence = ""
    for index, row in enumerate(text.split("\n")):
        if index:
            rows.append("\n")
        if mark := _FENCE.match(row):
            fence = "" if fence == mark[1] else fence or mark[1]
            rows.append(row)
        elif fence:
            rows.append(row)
        else:
            rows.append(_line(row, pattern, is_first=index == 0))
    return _assembled(rows, is_html)


def _assembled(rows: Iterable[str | tuple[str, Line, str]], is_html: bool) -> Plan:
    lines: list[Line] = []
    frame: list[str | tuple[str, int, str]] = []
    for row in rows:
        if isinstance(row, str):
            frame.append(row)
            continue
        before, line, after = row
        if any(run.number is None and has_words(run.text) for run in line):
            frame.append((before, len(lines), after))
            lines.append(line)
        else:
            frame.append(before + "".join(_as_it_was(run, is_html) for run in line) + after)
    return Plan(tuple(lines), tuple(frame), is_html)


def _as_it_was(run: Run, is_html: bool) -> str:
    return html.escape(run.text, quote=False) if is_html and run.number is None else run.text


def _line(row: str, pattern: re.Pattern[str], *, is_first: bool) -> tuple[str, Line, str]:
    begin = 0
    for prefix in (_ME, _QUEUE) if is_first else ():
        if match := prefix.match(row):
            begin = match.end()
    if match := _PREFIX.match(row[begin:]):
        begin += match.end()
    match = _SUFFIX.search(row, begin)
    end = match.start() if match else len(row)
    return row[:begin], _runs(row[begin:end], pattern), row[end:]


def _markup_line(text: str, pattern: re.Pattern[str]) -> tuple[str, Line, str]:
    body = text.strip()
    at = text.find(body) if body else 0
    runs = tuple(
        run if run.number is not None else Run(html.unescape(run.text))
        for run in _runs(body, pattern)
    )
    return text[:at], runs, text[at + len(body) :]


def _runs(text: str, pattern: re.Pattern[str]) -> Line:
    runs: list[Run] = []
    at = 0
    for number, match in enumerate(pattern.finditer(text)):
        if match.start() > at:
            runs.append(Run(text[at : match.start()]))
        runs.append(Run(match[0], number))
        at = match.end()
    if at < len(text):
        runs.append(Run(text[at:]))
    return tuple(runs)


@lru_cache(maxsize=256)
def _pattern(terms: tuple[str, ...], is_html: bool) -> re.Pattern[str]:
    alternatives = [_HTML] if is_html else []
    # Longer terms first: "Ada Lovelace" before "Ada".
    named = [re.escape(term) for term in sorted(terms, key=len, reverse=True) if term.strip()]
    if named:
        alternatives.append(rf"(?<!\w)(?:{'|'.join(named)})(?!\w)")
    return re.compile("|".join((*alternatives, f"(?i:{_INLINE})")))


def _pairs(line: Line) -> list[tuple[int, int]]:
    """The marks of a line that have words between them: the numbers of what opens and closes."""
    found: list[tuple[int, int]] = []
    opened: dict[str, tuple[int, int]] = {}
    for index, run in enumerate(line):
        if run.number is None:
            continue
        mark = "[" if run.text.startswith("](") else run.text
        if mark not in _PAIRED:
            continue
        if run.text == "[" or mark not in opened:
            opened[mark] = (index, run.number)
            continue
        begin, number = opened.pop(mark)
        if any(one.number is None and has_words(one.text) for one in line[begin + 1 : index]):
            found.append((number, run.number))
    return found


def _is_empty(answer: Sequence[str | int], opening: int, closing: int) -> bool:
    """Whether nothing stands between two marks; the other way round, nothing that they mark."""
    begin, end = answer.index(opening), answer.index(closing)
    between = answer[begin + 1 : end]
    return not any(isinstance(part, int) or part.strip() for part in between)


def _tightened(parts: Sequence[str], answer: Sequence[str | int], line: Line) -> str:
    """Takes back blanks that a service has put between a mark and its words: "** so **"."""
    glued_left: set[int] = set()
    glued_right: set[int] = set()
    for index, run in enumerate(line):
        if run.number is None or run.text not in ("**", "*", "~~", "["):
            if run.number is not None and run.text.startswith("]("):
                glued_left.add(run.number)
            continue
        if index + 1 < len(line) and not line[index + 1].text[:1].isspace():
            glued_right.add(run.number)
        if index and not line[index - 1].text[-1:].isspace():
            glued_left.add(run.number)
    out: list[str] = []
    for index, part in enumerate(parts):
        before = answer[index - 1] if index else None
        after = answer[index + 1] if index + 1 < len(answer) else None
        text = part
        if isinstance(answer[index], str):
            if isinstance(before, int) and before in glued_right:
                text = text.lstrip()
            if isinstance(after, int) and after in glued_left:
                text = text.rstrip()
        out.append(text)
    return "".join(out)
