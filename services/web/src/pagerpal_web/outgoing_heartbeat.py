"""Does somebody outside hear that PagerPal is well, so that they notice when it says so no more?

A dead man's switch (healthchecks.io, Dead Man's Snitch, …): its URL is called every minute while every job is healthy,
the auditor's among them, and never otherwise. Whoever expects the call raises the alarm when it stays away: whatever
broke, even all of PagerPal. Each replica calls; that does no harm.
"""

import asyncio
from dataclasses import dataclass

import httpx
import structlog
from pagerpal_common.tls import trusted

from pagerpal_web.context import Context
from pagerpal_web.standing import list_standing

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0

CALL_SECONDS = 10.0
"""For everything: name, connection, TLS, answer."""


@dataclass
class OutgoingHeartbeat:
    """Calls the URL, and remembers how that went, so that a failure is logged once and not every minute."""

    ctx: Context
    is_failing: bool = False

    async def beat(self) -> int:
        """Call the URL, if there is one and all is well. Returns 0: there is never more to do at once.

        Raises:
            Unavailable: the database is away: that is nothing to be called well.
        """
        url = self.ctx.settings.heartbeat_url
        if url is None:
            return 0
        async with self.ctx.db.begin() as tx:
            jobs, _ = await list_standing(tx, self.ctx.now())
        if all(job.healthy for job in jobs):
            self._note(await _call(url.get_secret_value()))
        return 0

    def _note(self, problem: str | None) -> None:
        if problem is not None and not self.is_failing:
            log.error("outgoing_heartbeat.failing", problem=problem)
        elif problem is None and self.is_failing:
            log.info("outgoing_heartbeat.well_again")
        self.is_failing = problem is not None


async def _call(url: str) -> str | None:
    """What went wrong, if anything did: never the URL, which is a secret, nor an error's text, which may quote it."""
    try:
        async with (
            asyncio.timeout(CALL_SECONDS),
            httpx.AsyncClient(verify=trusted(), trust_env=False, timeout=CALL_SECONDS) as client,
            client.stream("GET", url, headers={"User-Agent": "PagerPal"}) as answer,
        ):
            return None if answer.is_success else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, OSError, TimeoutError, ValueError) as error:
        return type(error).__name__
