"""How is a password kept and checked? By argon2id, off the event loop, a few at a time."""

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pagerpal_common.errors import Unavailable, Unprocessable
from pydantic import SecretStr

from pagerpal_web.domain.password_rules import is_own, is_well_known

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

    async def hash_new(self, password: SecretStr, *, own: Iterable[str | None], field: str = "password") -> str:
        """What to store for a password that is being chosen.

        Args:
            password: of a length that `fields.Password` takes.
            own: what everybody knows of the person, and so must not be their password.
            field: the password's name in the request's body.

        Raises:
            Unprocessable: it is one of the first that a guesser tries.
            Unavailable: too many are waiting already.
        """
        await self.refuse_weak(password, own=own, field=field)
        return await self.hash(password.get_secret_value())

    async def refuse_weak(self, password: SecretStr, *, own: Iterable[str | None], field: str = "password") -> None:
        """Raises the same as `hash_new`, whose first half it is."""
        text = password.get_secret_value()
        if is_own(text, own):
            raise _refused(field, "this is the person's own address or name: choose something nobody knows")
        if await self._run(lambda: is_well_known(text)):
            raise _refused(field, "this is one of the first passwords that a guesser tries: choose another one")

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


def is_outdated(stored: str) -> bool:
    """Whether this was hashed with other parameters than a new password is."""
    return _HASHER.check_needs_rehash(stored)


def _refused(field: str, reason: str) -> Unprocessable:
    return Unprocessable([{"loc": ["body", field], "msg": reason, "type": "value_error"}])


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except VerifyMismatchError:
        return False
