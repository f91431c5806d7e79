"""How is a password kept and checked? By argon2id, off the event loop, a few at a time."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pagerpal_common.errors import Unavailable

T = TypeVar("T")

WAITING_LIMIT = 32
"""How many may wait for a thread; a check takes some 40 ms, so the last of them waits for less than a second."""

# OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Of a password that nobody knows, with the same parameters: checking it costs what checking a real one costs.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$aCajPJED2ppQ9bHPrukKvA$aAyehBX6WkkTAaqhbjpQPZSGeYapEmy+oxsVQDL15FY"


class Passwords:
    """Hashes and checks on as many threads as there are cores: 19 MiB each, and the loop stays free."""

    def __init__(self, *, waiting_limit: int = WAITING_LIMIT) -> None:
        threads = os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")
        self._limit = threads + waiting_limit
        self._under_way = 0

    async def hash(self, password: str) -> str:
        """What to store for this password.

        Raises:
            Unavailable: too many are waiting already.
        """
        return await self._run(lambda: _HASHER.hash(password))

    async def is_right(self, password: str, stored: str | None) -> bool:
        """Whether this is the password behind `stored`; without one the answer is no, and takes as long.

        Raises:
            Unavailable: too many are waiting already.
        """
        return await self._run(lambda: _verify(stored or _NOBODYS, password)) and stored is not None

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._limit:
            raise Unavailable("too many passwords are being checked")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except VerifyMismatchError:
        return False
