"""`Translator`: from a text to its translation, by whichever back end can, within a deadline.

Decides whom to ask and for how long; protects, caches, and asks once for what several want at the
same time. Knows nothing of chat: whoever calls shows the original when this raises.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hubbub.errors import Misuse
from hubbub.log import logger
from hubbub.translation.backend import Backend, Line, Pairs, Run, Translated
from hubbub.translation.breaker import Breaker, BreakerOptions, State
from hubbub.translation.cache import TEXT_BYTES, Cache, Cached
from hubbub.translation.detection import detect
from hubbub.translation.failures import (
    BackendFailure,
    Exhausted,
    NoBackend,
    Throttled,
    TooLong,
)
from hubbub.translation.protection import Mangled, Plan, pieces, plan
from hubbub.translation.rates import Rates
from hubbub.translation.tags import NO_LANGUAGE, UNKNOWN, canonical, understands

AUTO = "auto"
"""The source language of who does not know it."""

_GRACE_S = 0.25


@dataclass(frozen=True)
class Translation:
    """A text in another language."""

    text: str
    engine: str
    """Who has translated; empty: there was nothing to translate."""

    source: str
    """The language it was in: as told, or as found."""

    confidence: float = 1.0
    """How sure that is, from 0 to 1."""


@dataclass(frozen=True)
class TranslatorOptions:
    """How long, how much, how often."""

    timeout_s: float = 8.0
    """How long a caller waits at most, whatever happens."""

    backend_timeout_s: float = 4.0
    """How long one back end is waited for, before the next is asked."""

    text_limit: int = 5_000
    """Characters in a text."""

    rate_per_minute: int = 30_000
    """Characters that one caller may have translated in a minute; 0: any number."""

    flights_limit: int = 256
    """Texts on their way to back ends; beyond it, callers are told to show the original."""

    pairs_age_s: float = 600.0
    """How long a back end is believed about what it can do."""

    breaker: BreakerOptions = field(default_factory=BreakerOptions)
    """When a back end is left alone."""


@dataclass(frozen=True)
class BackendStats:
    """What became of one back end's answers."""

    asked: int = 0
    translated: int = 0
    failed: int = 0
    mangled: int = 0
    """Lines whose protected parts came back wrong, and which were translated in pieces."""

    state: State = "closed"


@dataclass(frozen=True)
class TranslatorStats:
    """Counters since the start, and gauges of now."""

    cached: int
    """Answered from the cache."""

    joined: int
    """Waited for somebody else's question."""

    throttled: int
    flights: int
    backends: Mapping[str, BackendStats]


@dataclass
class _Place:
    """A back end, and what is known of it."""

    backend: Backend
    breaker: Breaker
    pairs: Pairs | None = None
    asked_s: float = 0.0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("asked", "translated", "failed", "mangled"), 0)
    )


class Translator:
    """Translates with a chain of back ends.

    Args:
        backends: In the order they are asked.
        cache: Where translations are kept.
        prefer: For a pair (source, target) the names of back ends in another order; only these
            are asked. "*" stands for any language.
        options: Deadlines and limits.
        clock: The time, in seconds.

    Raises:
        Misuse: Two back ends have one name, or a preferred one does not exist.
    """

    def __init__(
        self,
        backends: Sequence[Backend],
        *,
        cache: Cache | None = None,
        prefer: Mapping[tuple[str, str], Sequence[str]] | None = None,
        options: TranslatorOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options or TranslatorOptions()
        self._cache = cache if cache is not None else Cache()
        self._places = {
            one.name: _Place(one, Breaker(self.options.breaker, clock)) for one in backends
        }
        if len(self._places) != len(backends):
            raise Misuse("two back ends of one name")
        self._prefer = dict(prefer or {})
        for names in self._prefer.values():
            if unknown := [name for name in names if name not in self._places]:
                raise Misuse(f"no such back end: {unknown[0]!r}")
        self._clock = clock
        self._rates = Rates(self.options.rate_per_minute, clock)
        self._flights: dict[bytes, asyncio.Task[Cached]] = {}
        self._forgotten: set[bytes] = set()
        """Which of these are not to be kept."""

        self._cached = self._joined = self._throttled = 0

    async def translate(
        self,
        text: str,
        source: str,
        target: str,
        *,
        caller: str = "",
        terms: Iterable[str] = (),
        prior: Sequence[str] = (),
        is_html: bool = False,
    ) -> Translation:
        """Translates a text.

        Args:
            text: What somebody wrote.
            source: Its language, "und" or "auto".
            target: The language to translate it into.
            caller: Whose share it counts for; "" is one caller, too.
            terms: Words that stay as they are, such as the nicks of a room.
            prior: The languages of its author, the likeliest first, if the source is not known.
            is_html: Whether it is HTML.

        Raises:
            BadTag: One of the languages is none.
            TranslationFailure: It cannot be had; show the original.
        """
        if len(text) > self.options.text_limit:
            raise TooLong(len(text), self.options.text_limit)
        target = canonical(target)
        confidence = 1.0
        if source == AUTO or canonical(source) == UNKNOWN:
            found = detect(text, prior)
            source, confidence = found.lang, found.confidence
        source = canonical(source)
        taken = plan(text, terms=terms, is_html=is_html)
        if not taken.lines or source == NO_LANGUAGE or _is_same(source, target):
            return Translation(text, "", source, confidence)
        key = _key(text, taken, source, target)
        cached = self._cache.recent(key)
        if cached is not None:
            self._cached += 1
        else:
            cached = await self._fly(key, taken, source, target, caller)
        found_source = cached.source if source == UNKNOWN else source
        return Translation(taken.rebuild(cached.lines), cached.engine, found_source, confidence)

    async def pairs(self) -> Pairs:
        """What all back ends together can do; those that cannot be asked are left out."""
        known = await asyncio.gather(
            *(self._known(place) for place in self._places.values()), return_exceptions=True
        )
        targets: dict[str, set[str]] = {}
        for one in known:
            if isinstance(one, Pairs):
                for source, found in one.targets.items():
                    targets.setdefault(source, set()).update(found)
        return Pairs({source: frozenset(found) for source, found in targets.items()})

    def forget(self, texts: Iterable[str]) -> None:
        """Forgets what was made of texts, as they were given to be translated.

        Whoever has one of them translated again has it kept again.
        """
        heads = {_head(text) for text in texts if text}
        self._cache.forget(heads)
        self._forgotten.update(key for key in self._flights if key[:TEXT_BYTES] in heads)

    def stats(self) -> TranslatorStats:
        """Counters and gauges."""
        return TranslatorStats(
            self._cached,
            self._joined,
            self._throttled,
            len(self._flights),
            {
                name: BackendStats(**place.counts, state=place.breaker.state)
                for name, place in self._places.items()
            },
        )

    async def close(self) -> None:
        """Gives up what is under way, and closes back ends and cache."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        for place in self._places.values():
            await place.backend.close()
        await self._cache.close()

    # One text

    async def _fly(self, key: bytes, taken: Plan, source: str, target: str, caller: str) -> Cached:
        """Asks for a text, or waits with those who have asked for it."""
        flight = self._flights.get(key)
        if flight is not None:
            self._joined += 1
        else:
            self._charge(taken, caller)
            flight = asyncio.create_task(self._ask_within_time(key, taken, source, target))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        try:
            # A flight keeps its deadline by itself, unless a back end does not let go of it.
            async with asyncio.timeout(self.options.timeout_s + _GRACE_S):
                # Who gives up leaves the others their answer.
                return await asyncio.shield(flight)
        except TimeoutError:
            raise Exhausted([]) from None

    def _charge(self, taken: Plan, caller: str) -> None:
        if len(self._flights) >= self.options.flights_limit:
            self._throttled += 1
            raise Throttled(1.0)
        size = sum(len(run.text) for line in taken.lines for run in line)
        wait_s = self._rates.take(caller, size)
        if wait_s:
            self._throttled += 1
            raise Throttled(wait_s)

    def _landed(self, key: bytes, flight: asyncio.Task[Cached]) -> None:
        self._flights.pop(key, None)
        if key in self._forgotten:
            self._forgotten.discard(key)
            self._cache.forget([key[:TEXT_BYTES]])
        if not flight.cancelled():
            flight.exception()  # seen, also if everybody who waited has gone

    async def _ask_within_time(self, key: bytes, taken: Plan, source: str, target: str) -> Cached:
        deadline_s = asyncio.get_running_loop().time() + self.options.timeout_s
        try:
            async with asyncio.timeout_at(deadline_s):
                cached = await self._cache.find(key)
        except TimeoutError:
            raise Exhausted([]) from None
        if cached is not None:
            self._cached += 1
            return cached
        cached = await self._ask_each(taken, source, target, deadline_s)
        await self._cache.keep(key, cached)
        return cached

    async def _ask_each(self, taken: Plan, source: str, target: str, deadline_s: float) -> Cached:
        causes: list[BackendFailure] = []
        has_pair = False
        for place in self._in_order(source, target):
            if source == UNKNOWN and not place.backend.detects:
                continue
            if not place.breaker.enter():
                has_pair = True
                continue
            try:
                found = await self._ask(place, taken, source, target, deadline_s)
            except BackendFailure as failure:
                has_pair = True
                causes.append(failure)
                continue
            if found is not None:
                return found
        if not has_pair:
            raise NoBackend(source, target)
        raise Exhausted(causes)

    async def _ask(
        self, place: _Place, taken: Plan, source: str, target: str, deadline_s: float
    ) -> Cached | None:
        """Asks one back end, within its time; None: it does not have the pair."""
        name = place.backend.name
        now_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now_s + self.options.backend_timeout_s, deadline_s)):
                pair = (await self._known(place)).find(source, target)
                if pair is None:
                    place.breaker.cancelled()
                    return None
                place.counts["asked"] += 1
                lines, found = await self._translated(place, taken, *pair)
        except TimeoutError:
            raise self._failed(place, BackendFailure(name, "late", "no answer in time")) from None
        except BackendFailure as failure:
            raise self._failed(place, failure) from failure.__cause__
        except asyncio.CancelledError:
            place.breaker.cancelled()
            raise
        except Exception as error:
            # A fault of ours in a back end is one failed back end, not a dead chat.
            logger.exception("translation: %s", name)
            raise self._failed(place, BackendFailure(name, "garbage", repr(error))) from error
        place.breaker.succeeded()
        place.counts["translated"] += 1
        return Cached(tuple(lines), name, found or source)

    def _failed(self, place: _Place, failure: BackendFailure) -> BackendFailure:
        place.counts["failed"] += 1
        was = place.breaker.state
        place.breaker.failed(failure)
        if was != place.breaker.state == "open":
            logger.warning(
                "translation: %s is left alone for a while: %s", place.backend.name, failure
            )
        return failure

    async def _translated(
        self, place: _Place, taken: Plan, source: str, target: str
    ) -> tuple[list[str], str | None]:
        answers = await self._answers(place, taken.lines, source, target)
        lines: list[str] = []
        for number, answer in enumerate(answers):
            try:
                lines.append(taken.restored(number, answer.line))
            except Mangled:
                place.counts["mangled"] += 1
                parts = await self._answers(place, pieces(taken.lines[number]), source, target)
                words = ["".join(map(str, part.line)) for part in parts]
                lines.append(taken.pieced(number, words))
        return lines, answers[0].source

    async def _answers(
        self, place: _Place, lines: Sequence[Line], source: str, target: str
    ) -> list[Translated]:
        answers = await place.backend.translate(lines, source, target)
        if len(answers) != len(lines) or not all(one.line for one in answers):
            raise BackendFailure(place.backend.name, "garbage", "fewer lines than were sent")
        return answers

    # Whom to ask

    def _in_order(self, source: str, target: str) -> list[_Place]:
        for pair in ((source, target), (source, "*"), ("*", target)):
            if pair in self._prefer:
                return [self._places[name] for name in self._prefer[pair]]
        return list(self._places.values())

    async def _known(self, place: _Place) -> Pairs:
        age_s = self._clock() - place.asked_s
        if place.pairs is None or age_s > self.options.pairs_age_s:
            place.pairs = await place.backend.pairs()
            place.asked_s = self._clock()
        return place.pairs


def _is_same(source: str, target: str) -> bool:
    return source != UNKNOWN and understands([target], source)


def _head(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:TEXT_BYTES]


def _key(text: str, taken: Plan, source: str, target: str) -> bytes:
    """Text, source and target. What is protected is part of the text: nicks differ by room."""
    digest = hashlib.sha256(f"{source}\0{target}".encode())
    for line in taken.lines:
        digest.update(b"\0\0")
        for run in line:
            digest.update(_mark(run) + run.text.encode("utf-8", "surrogatepass"))
    return _head(text) + digest.digest()


def _mark(run: Run) -> bytes:
    return b"\0w" if run.number is None else b"\0p"
