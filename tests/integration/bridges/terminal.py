"""A program in a terminal: tmux holds it, a test types and looks at the screen."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

WAIT_S = 20.0
_LOOK_S = 0.05


class Terminal:
    """One program, in a screen of 100 by 30.

    Args:
        folder: Where it keeps what it writes.
        command: The program with its arguments.
    """

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._folder = folder
        self._command = command
        self._socket = folder / "tmux"

    async def __aenter__(self) -> "Terminal":
        await self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", *self._command
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A program that has ended has ended tmux, too.
        await self._tmux("kill-server", may_fail=True)

    async def type(self, line: str) -> None:
        """Types a line, and Enter."""
        await self._tmux("send-keys", "-l", "--", line)
        await self._tmux("send-keys", "Enter")

    async def screen(self) -> str:
        """What stands on the screen."""
        return await self._tmux("capture-pane", "-p")

    async def shows(self, *words: str) -> str:
        """Waits until all of this is on the screen: it tells nobody when it changes."""
        screen = ""
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    screen = await self.screen()
                    if all(word in screen for word in words):
                        return screen
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise AssertionError(f"not on the screen: {words}\n{screen}") from None

    async def _tmux(self, *arguments: str, may_fail: bool = False) -> str:
        environment = {
            **os.environ,
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "TERM": "screen-256color",
        }
        # Not a pipe: the server that tmux leaves behind would keep it open.
        told = self._folder / "tmux.out"
        with told.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *("tmux", "-u", "-S", str(self._socket), *arguments),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            await process.wait()
        text = told.read_text(encoding="utf-8")
        assert may_fail or process.returncode == 0, text
        return text
