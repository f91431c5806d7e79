"""Which certificate has a message been signed with? A cache in front of Amazon, in each process.

SNS signs everything with one certificate per region for about a year, so a process fetches seldom.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from pagerpal_common.clock import Now
from pagerpal_common.errors import Unavailable

from pagerpal_ingest.amazon import Fetch
from pagerpal_ingest.domain.sns_signature import Certificate, read_certificate

T = TypeVar("T")

KNOWN_LIMIT = 16
"""Certificates remembered, and as many that could not be had."""

RETRY = timedelta(seconds=5)
"""How soon one that could not be had is asked for again: in a storm not every alert may wait for it anew."""


@dataclass(frozen=True)
class _Missing:
    since: datetime
    asked_at: datetime


class Certificates:
    """Finds the certificate at a URL that was checked before."""

    def __init__(self, fetch: Fetch, now: Now) -> None:
        self._fetch = fetch
        self._now = now
        self._known: dict[str, Certificate] = {}
        self._missing: dict[str, _Missing] = {}
        self._asking: dict[str, asyncio.Task[Certificate]] = {}

    async def find(self, url: str) -> Certificate:
        """The certificate at this URL, valid now.

        Raises:
            Unavailable: it cannot be had just now, or is not valid by our clock.
            Forbidden: it is not one that SNS signs with.
        """
        at = self._now()
        known = self._known.get(url)
        if known is not None and known.is_valid(at):
            return known
        missing = self._missing.get(url)
        if missing is not None and missing.asked_at <= at < missing.asked_at + RETRY:
            raise Unavailable("the signing certificate could not be had a moment ago")
        asking = self._asking.get(url)
        if asking is None:
            asking = self._asking[url] = asyncio.create_task(self._ask(url))
            asking.add_done_callback(_hear)
        await asyncio.wait({asking})  # not the task itself: whoever goes away must not take it along
        return asking.result()

    def missing_for(self, url: str) -> timedelta:
        """For how long the certificate has been asked for in vain; zero when it was had the last time."""
        missing = self._missing.get(url)
        return self._now() - missing.since if missing is not None else timedelta(0)

    async def finish(self) -> None:
        """Wait for what is being fetched."""
        if self._asking:
            await asyncio.wait(set(self._asking.values()))

    async def _ask(self, url: str) -> Certificate:
        try:
            certificate = await self._get(url)
        except Unavailable:
            at = self._now()
            missing = self._missing.pop(url, _Missing(at, at))
            _remember(self._missing, url, replace(missing, asked_at=at))
            raise
        finally:
            del self._asking[url]
        self._missing.pop(url, None)
        _remember(self._known, url, certificate)
        return certificate

    async def _get(self, url: str) -> Certificate:
        answer = await self._fetch(url)
        if answer.status != 200:
            raise Unavailable(f"the signing certificate cannot be had: status {answer.status}")
        try:
            certificate = read_certificate(answer.body)
        except ValueError:
            raise Unavailable("there is no certificate where the signing certificate should be") from None
        if not certificate.is_valid(self._now()):
            raise Unavailable("the signing certificate is not valid today: is this machine's clock right?")
        return certificate


def _remember(found: dict[str, T], url: str, what: T) -> None:
    found.pop(url, None)
    while len(found) >= KNOWN_LIMIT:
        del found[next(iter(found))]  # the one not fetched for the longest
    found[url] = what


def _hear(asking: asyncio.Task[Certificate]) -> None:
    """Everybody who waited for it may have gone: its failure is then nobody's, and asyncio must not call it lost."""
    if not asking.cancelled():
        asking.exception()
