"""Apertium, which translates on this machine, without network and key.

Its programs come from Debian packages such as `apertium-eng-spa`; what is installed is what there
is. A pipeline takes a tenth of a second to start and a millisecond for a line, so it is kept open:
each program with `-z`, each line ended by a NUL. The stream's format is in `stream`.
"""

import asyncio
import os
import re
import shlex
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from hubbub.log import logger
from hubbub.translation.backend import Line, Pairs, Translated
from hubbub.translation.backends.stream import END, decode, encode
from hubbub.translation.failures import BackendFailure
from hubbub.translation.tags import BadTag, canonical, understands

MODES = Path("/usr/share/apertium/modes")
"""Where Debian puts the pairs that are installed."""

IDLE_S = 600.0
"""How long a pipeline is kept that nobody uses."""

ANSWER_LIMIT_BYTES = 1024 * 1024
"""A line whose translation is longer was none."""

# "eng-spa", "spa-eng_US"; others are variants ("eco-es-fr") or for debugging ("eng-spa-anmor").
_MODE = re.compile(r"([a-z]{2,3}(?:_\w+)?)-([a-z]{2,3}(?:_\w+)?)")
# The pipeline's own options: words it does not know come as they are, without a star.
_UNMARKED = {"$1": "-n", "$2": ""}


class Apertium:
    """Translates with the pairs of languages that are installed.

    Args:
        modes: The folder of the pairs.
        pivots: Languages to go over where there is no pair: with "es", French becomes Spanish and
            then English. Errors multiply on the way.
        name: What readers are told.
        idle_s: How long a pipeline is kept that nobody uses, in seconds.
    """

    detects = False

    def __init__(
        self,
        modes: Path | str = MODES,
        *,
        pivots: Sequence[str] = (),
        name: str = "apertium",
        idle_s: float = IDLE_S,
    ) -> None:
        self.name = name
        self._folder = Path(modes)
        self._pivots = tuple(pivots)
        self._idle_s = idle_s
        self._routes: dict[tuple[str, str], tuple[Path, ...]] = {}
        self._pipelines: dict[Path, _Pipeline] = {}

    async def pairs(self) -> Pairs:
        """What is installed, and what can be reached over a pivot."""
        files = await asyncio.to_thread(lambda: sorted(self._folder.glob("*.mode")))
        self._routes = routes(files, self._pivots)
        return Pairs.of(self._routes)

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Translates lines; over a pivot, one pipeline after the other."""
        route = self._routes.get((source, target))
        if route is None:
            raise BackendFailure(self.name, "refused", f"no pair for {source} to {target}")
        encoded = [encode(line) for line in lines]
        for mode in route:
            pipeline = self._pipelines.get(mode)
            if pipeline is None:
                pipeline = self._pipelines[mode] = _Pipeline(self.name, mode, self._idle_s)
            encoded = await pipeline.translate(encoded)
        return [Translated(decode(line)) for line in encoded]

    async def close(self) -> None:
        """Ends the pipelines."""
        for pipeline in self._pipelines.values():
            await pipeline.close()

    def processes(self) -> list[int]:
        """The process groups of the pipelines that run."""
        return [one.pid for one in self._pipelines.values() if one.pid is not None]


def routes(
    files: Iterable[Path], pivots: Iterable[str] = ()
) -> dict[tuple[str, str], tuple[Path, ...]]:
    """Which pipelines lead from one language to another (pure).

    Args:
        files: Mode files; of two for the same pair the first counts.
        pivots: Languages to go over.
    """
    direct: dict[tuple[str, str], tuple[Path, ...]] = {}
    for file in files:
        match = _MODE.fullmatch(file.stem)
        if match is None:
            continue
        try:
            pair = canonical(match[1]), canonical(match[2])
        except BadTag:
            continue
        direct.setdefault(pair, (file,))
    found = dict(direct)
    for pivot in map(canonical, pivots):
        for (source, first), before in direct.items():
            for (second, target), after in direct.items():
                if first == second == pivot and not understands([target], source):
                    found.setdefault((source, target), before + after)
    return found


def command(mode: str) -> str:
    """The pipeline of a mode file as a shell runs it, each program waiting for more (pure)."""
    tokens = shlex.shlex(mode, posix=True, punctuation_chars="|")
    tokens.whitespace_split = True
    stages: list[list[str]] = [[]]
    for word in tokens:
        if set(word) == {"|"}:
            stages.append([])
        elif plain := _UNMARKED.get(word, word):
            stages[-1] += [plain] if stages[-1] else [plain, "-z"]
    return " | ".join(shlex.join(stage) for stage in stages)


class _Pipeline:
    """The programs of one pair, kept running; they answer one caller after the other."""

    def __init__(self, backend: str, mode: Path, idle_s: float) -> None:
        self._backend = backend
        self._mode = mode
        self._idle_s = idle_s
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process group, while there is one."""
        return self._process.pid if self._process is not None else None

    async def translate(self, lines: Sequence[bytes]) -> list[bytes]:
        """Sends lines and waits for as many.

        Raises:
            BackendFailure: The pipeline cannot be started, died, or answered something else.
        """
        async with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            try:
                answers = await self._answers(lines)
            except BaseException:
                # Cancelled, too: its answer would be taken for that to the next question.
                await self.end()
                raise
            self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._rest)
            return answers

    async def _answers(self, lines: Sequence[bytes]) -> list[bytes]:
        if self._process is not None:
            try:
                return await self._exchange(self._process, lines)
            except BackendFailure:
                # It may have died long ago: nobody looks while nobody asks.
                await self.end()
        return await self._exchange(await self._start(), lines)

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            mode = await asyncio.to_thread(self._mode.read_text)
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                command(mode),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=ANSWER_LIMIT_BYTES,
                # A group of its own: it is ended as a whole, and no Ctrl-C for us reaches it.
                start_new_session=True,
            )
        except OSError as error:
            raise self._failed(f"{self._mode.stem} cannot be started: {error}") from error
        self._process = process
        logger.debug("apertium: %s runs as process group %d", self._mode.stem, process.pid)
        return process

    async def _exchange(
        self, process: asyncio.subprocess.Process, lines: Sequence[bytes]
    ) -> list[bytes]:
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101 - asked for above
        answers: list[bytes] = []
        try:
            # One after the other: two full pipes, each end waiting for the other, would stop both.
            for line in lines:
                process.stdin.write(line)
                await process.stdin.drain()
                answers.append(await process.stdout.readuntil(b"\0"))
        except (OSError, RuntimeError, asyncio.IncompleteReadError) as error:
            # RuntimeError: what uvloop says of a pipe whose reader has gone.
            raise self._failed(f"{self._mode.stem} ended") from error
        except asyncio.LimitOverrunError as error:
            raise self._failed(f"{self._mode.stem} answers without end") from error
        if not all(answer.endswith(END) for answer in answers):
            # A program that stumbled over its input swallows the rest of it.
            raise self._failed(f"{self._mode.stem} lost its thread")
        return answers

    def _failed(self, reason: str) -> BackendFailure:
        return BackendFailure(self._backend, "down", reason)

    async def close(self) -> None:
        """Ends the programs, and waits for those that were about to end."""
        await self.end()
        if self._ending is not None:
            await self._ending

    def _rest(self) -> None:
        self._ending = asyncio.create_task(self.end())

    async def end(self) -> None:
        """Ends the programs; the next line starts them again."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            logger.debug("apertium: %s had ended by itself", self._mode.stem)
        # Reads what was left, so that both pipes are closed.
        await process.communicate()
