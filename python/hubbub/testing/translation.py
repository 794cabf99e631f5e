"""A back end that translates nothing but shows what was asked: for tests and pages without one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from hubbub.translation.backend import Line, Pairs, Translated
from hubbub.translation.failures import BackendFailure


class PseudoBackend:
    """Says every text again, between the signs of the two languages: "⟪en→fr: hello⟫".

    Args:
        pairs: What it can do, as (source, target); without, everything.
        name: What readers are told.
        words: What it makes of words instead, given (words, source, target).

    Attributes:
        asked: (lines, source, target) of each question, lines as plain text.
        failures: What the next questions are answered with, one each, instead of a translation.
        gate: Questions wait until it is set; it is at first.
    """

    detects = True

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]] = (),
        *,
        name: str = "pseudo",
        words: Callable[[str, str, str], str] | None = None,
    ) -> None:
        self.name = name
        listed = list(pairs)
        self._pairs = Pairs.of(listed) if listed else Pairs(everything=True)
        self._words = words
        self.asked: list[tuple[list[str], str, str]] = []
        self.failures: list[BackendFailure] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_closed = False

    async def pairs(self) -> Pairs:
        """What it was given."""
        return self._pairs

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Says the lines again."""
        self.asked.append((["".join(run.text for run in line) for line in lines], source, target))
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return [Translated(self._again(line, source, target)) for line in lines]

    async def close(self) -> None:
        """Notes that it was closed."""
        self.is_closed = True

    def _again(self, line: Line, source: str, target: str) -> tuple[str | int, ...]:
        if self._words is not None:
            return tuple(
                self._words(run.text, source, target) if run.number is None else run.number
                for run in line
            )
        parts: list[str | int] = [f"⟪{source}→{target}: "]
        parts += (run.text if run.number is None else run.number for run in line)
        return (*parts, "⟫")
