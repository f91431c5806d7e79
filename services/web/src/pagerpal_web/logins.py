"""Were these credentials right a moment ago? Argon2 on each API call would cap them at 25/s per core."""

import asyncio
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from pagerpal_web.passwords import Passwords

REMEMBERED = timedelta(seconds=60)
REMEMBERED_LIMIT = 1000


class Logins:
    """Credentials found right within the last minute.

    An entry is a keyed digest of email, stored hash and password, under a key that dies with the process. A new
    password is a new stored hash, so what was remembered of the old one is never found again, on any process.
    Whether the account is active, and its role, are not remembered: they are read at each request.
    """

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._key = secrets.token_bytes(32)
        self._until: dict[bytes, datetime] = {}
        self._checks: dict[bytes, asyncio.Task[bool]] = {}

    async def are_right(self, email: str, password: str, stored: str | None, at: datetime) -> bool:
        """Whether `password` is the one behind `stored`. Without `stored` the answer is no, and takes as long.

        Raises:
            Unavailable: too many passwords are being checked already.
        """
        digest = self._digest(email, password, stored)
        until = self._until.get(digest)
        if until is not None and at < until <= at + REMEMBERED:
            return True
        is_right = await self._check(digest, password, stored)
        if is_right:
            self._remember(digest, at + REMEMBERED)
        return is_right

    async def _check(self, digest: bytes, password: str, stored: str | None) -> bool:
        """One argon2 run, however many requests come with the same credentials at once."""
        check = self._checks.get(digest)
        if check is None:
            check = asyncio.create_task(self._passwords.is_right(password, stored))
            self._checks[digest] = check
            check.add_done_callback(lambda _: self._checks.pop(digest))
        return await asyncio.shield(check)

    def _remember(self, digest: bytes, until: datetime) -> None:
        self._until.pop(digest, None)  # so that the order stays that of age
        self._until[digest] = until
        if len(self._until) > REMEMBERED_LIMIT:
            del self._until[next(iter(self._until))]

    def _digest(self, email: str, password: str, stored: str | None) -> bytes:
        # The password comes last: it alone may hold the separator.
        parts = "\0".join((email.lower(), stored or "", password))
        return hmac.digest(self._key, parts.encode(), hashlib.sha256)
