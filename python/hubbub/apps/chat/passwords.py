"""Passwords, hashed with argon2id off the event loop: each takes 64 MiB and its time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hubbub.apps.chat import refusals

T = TypeVar("T")

WAITING_LIMIT = 50
"""How many may wait for their turn; who comes then is told to come later."""


class Passwords:
    """Hashes and compares passwords, one after the other."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._pool = ThreadPoolExecutor(1, "hubbub-chat-argon2")
        self._waiting = 0
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            Refused: Too many wait already.
        """
        return await self._run(self._hasher.hash, password)

    async def matches(self, kept: str, password: str) -> bool:
        """Whether it is the password; takes as long where there is none to compare it with.

        Raises:
            Refused: Too many wait already.
        """
        return await self._run(self._verify, kept, password)

    def close(self) -> None:
        """Ends the thread."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise refusals.slow_down(5.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._waiting -= 1

    def _verify(self, kept: str, password: str) -> bool:
        if not kept and not self._nobody:
            self._nobody = self._hasher.hash("nobody's")
        try:
            self._hasher.verify(kept or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(kept)
