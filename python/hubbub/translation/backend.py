"""What a back end is: an interface of three methods, and which pairs of languages one has.

Each kind has a file in `backends`. A back end is asked for what it has said it can do, with texts
whose protected parts it renders as it knows best; when it is asked is decided elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hubbub.translation.tags import UNKNOWN, fallbacks, lookup, written_in


@dataclass(frozen=True)
class Run:
    """A part of a line: words to translate, or something that has to come back as it is."""

    text: str
    number: int | None = None
    """Which protected part of its line it is; None: words."""


Line = tuple[Run, ...]
"""One line of a text, in parts."""


@dataclass(frozen=True)
class Translated:
    """One line, translated.

    Protected parts stand in it as numbers only; whoever asked puts them back.
    """

    line: tuple[str | int, ...]
    """Words, and numbers of protected parts."""

    source: str | None = None
    """The language that the back end has found, if it was asked to find out."""


@dataclass(frozen=True)
class Pairs:
    """Which languages a back end translates, and into which.

    The keys of `targets` are tags; `everything` is for back ends that cannot be asked.
    """

    targets: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    everything: bool = False

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Pairs":
        """From (source, target)."""
        targets: dict[str, set[str]] = {}
        for source, target in pairs:
            targets.setdefault(source, set()).add(target)
        return cls({source: frozenset(found) for source, found in targets.items()})

    def find(self, source: str, target: str) -> tuple[str, str] | None:
        """The pair that serves these languages: fr-CA to es-419 is served by fr to es.

        From an unknown language, any pair with this target will do; its source is then `und`.
        """
        if self.everything:
            return source, target
        if source == UNKNOWN:
            everywhere = {tag for targets in self.targets.values() for tag in targets}
            served = _serving(target, everywhere)
            return (UNKNOWN, served) if served is not None else None
        for tried in _served_by(source, self.targets):
            served = _serving(target, self.targets[tried])
            if served is not None:
                return tried, served
        return None


def _serving(wanted: str, tags: Iterable[str]) -> str | None:
    return next(iter(_served_by(wanted, tags)), None)


def _served_by(wanted: str, tags: Iterable[str]) -> list[str]:
    """The tags that serve a wanted one, the best first; never one in another script."""
    known = list(tags)
    script = written_in(wanted)
    found = [
        best
        for tried in fallbacks(wanted)
        if (best := lookup([tried], known)) is not None and written_in(best) in ("", script)
    ]
    # "pt" is served by "pt-BR", and "zh-TW" by "zh-Hant", where there is no other.
    language = wanted.partition("-")[0]
    found += sorted(
        tag for tag in known if tag.startswith(language + "-") and written_in(tag) == script
    )
    return list(dict.fromkeys(found))


class Backend(Protocol):
    """Something that translates."""

    @property
    def name(self) -> str:
        """What readers are told who has translated."""
        ...

    @property
    def detects(self) -> bool:
        """Whether it takes texts in an unknown language, and finds out."""
        ...

    async def pairs(self) -> Pairs:
        """What it can do.

        Raises:
            BackendFailure: It cannot be asked.
        """
        ...

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Translates lines, each for itself.

        Args:
            lines: At least one; each has words.
            source: One of its languages, or `und` if it detects.
            target: One of its languages.

        Raises:
            BackendFailure: It could not.
        """
        ...

    async def close(self) -> None:
        """Lets go of what it holds: connections, processes."""
        ...
