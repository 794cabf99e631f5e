"""What `hubbub dev` does when a file changes: reloads in place, or says why that is not enough.

Runs inside the served process, whose imports it must know. Which new process takes the place of
one that cannot go on is `dev`'s.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from watchfiles import Change, PythonFilter, awatch  # pyright: ignore[reportUnknownVariableType]

from hubbub.errors import ModuleFailed
from hubbub.log import logger
from hubbub.modules import Modules

NATIVE = ".so"
"""Compiled code, which no process can load twice."""


def watch_filter() -> PythonFilter:
    """What is worth a reload: code. Data that an application writes beside itself is not."""
    return PythonFilter(extra_extensions=[NATIVE])


class Watcher:
    """Reloads modules as their code changes; their connections stay open."""

    def __init__(self, modules: Modules, folders: Sequence[Path]) -> None:
        """Prepares it.

        Args:
            modules: What is served.
            folders: Where to look for changes.
        """
        self._modules = modules
        self._folders = folders

    async def run(self) -> str:
        """Watches, until there is a change that only a new process can take up.

        Returns:
            Why.
        """
        async for changes in awatch(*self._folders, watch_filter=watch_filter()):
            logger.info("changed: %s", names_of(changes))
            if reason := self._obstacle(changes):
                return reason
            for module in self._modules.all:
                try:
                    await self._modules.reload(module.name)
                except ModuleFailed:
                    # The log has it, the old version goes on, and so does whoever mends it.
                    continue
        return "nothing is watched any more"

    def _obstacle(self, changes: Collection[tuple[Change, str]]) -> str:
        """What has been imported, but is no module's own code: it would stay as it was."""
        changed = {Path(path).resolve() for _, path in changes}
        own = {
            file
            for module in self._modules.all
            if module.code is not None
            for file in module.code.files
        }
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and (path := Path(file).resolve()) in changed - own:
                return f"{path.name} is imported, but not the application's own code"
        return ""


def names_of(changes: Collection[tuple[Change, str]]) -> str:
    """The files in a line, no more than three of them."""
    names = sorted({Path(path).name for _, path in changes})
    return f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
