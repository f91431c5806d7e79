"""Is this the right password? Remembered for a minute, checked once however many ask at once, and not endlessly often.

Argon2 on each API call would cap them at 25/s per core. What is remembered and counted is this process's alone.
"""

import asyncio
import hashlib
import hmac
import math
import secrets
from datetime import datetime, timedelta

from pagerpal_common.errors import TooManyTries

from pagerpal_web.domain.attempts import Attempts, Guessing
from pagerpal_web.domain.recent import Recent
from pagerpal_web.passwords import Passwords

REMEMBERED = timedelta(seconds=60)
REMEMBERED_LIMIT = 1000


class Logins:
    """Credentials found right within the last minute, and how many were wrong of late.

    An entry is a keyed digest of email, stored hash and password, under a key that dies with the process. A new
    password is a new stored hash, so what was remembered of the old one is never found again, on any process.
    Whether the account is active, and its role, are not remembered: they are read at each request.
    """

    def __init__(self, passwords: Passwords, attempts: Attempts) -> None:
        self._passwords = passwords
        self._attempts = attempts
        self._key = secrets.token_bytes(32)
        self._right = Recent(REMEMBERED, REMEMBERED_LIMIT)
        self._checks: dict[bytes, asyncio.Task[bool]] = {}

    async def are_right(
        self, email: str, password: str, stored: str | None, *, guessing: Guessing, at: datetime
    ) -> bool:
        """Whether `password` is the one behind `stored`. Without `stored` the answer is no, and takes as long.

        Raises:
            TooManyTries: too many were wrong of late. What was right within the last minute is right all the same.
            Unavailable: too many passwords are being checked already.
        """
        digest = self._digest(email, password, stored)
        if self._right.has(digest, at):
            return True
        is_right = await self._check(digest, password, stored, guessing, at)
        if is_right:
            self._right.add(digest, at)
        return is_right

    async def _check(self, digest: bytes, password: str, stored: str | None, guessing: Guessing, at: datetime) -> bool:
        """One argon2 run and one try, however many requests come with the same credentials at once."""
        check = self._checks.get(digest)
        if check is None:
            wait = self._attempts.begin(guessing, at)
            if wait > timedelta(0):
                raise TooManyTries(math.ceil(wait.total_seconds()))
            check = asyncio.create_task(self._try(password, stored, guessing))
            self._checks[digest] = check
            check.add_done_callback(lambda _: self._checks.pop(digest))
        return await asyncio.shield(check)

    async def _try(self, password: str, stored: str | None, guessing: Guessing) -> bool:
        try:
            is_right = await self._passwords.is_right(password, stored)
        except BaseException:
            self._attempts.was_not_made(guessing)
            raise
        if is_right:
            self._attempts.was_right(guessing)
        return is_right

    def _digest(self, email: str, password: str, stored: str | None) -> bytes:
        # The password comes last: it alone may hold the separator.
        parts = "\0".join((email.lower(), stored or "", password))
        return hmac.digest(self._key, parts.encode(), hashlib.sha256)
