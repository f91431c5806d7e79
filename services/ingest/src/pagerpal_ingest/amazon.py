"""Fetches what Amazon SNS keeps at its own URLs: certificates, and confirmations of subscriptions.

The only module of ingest that speaks HTTP out. Which URLs it is given is decided in `domain/sns_urls.py`. Whatever they
lead to: TLS is verified (a name that is made to resolve elsewhere does not help), no redirect is followed, no proxy is
taken from the environment, and it is soon over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from pagerpal_common.errors import Unavailable
from pagerpal_common.tls import trusted

FETCH_SECONDS = 5.0
"""For everything: name, connection, TLS, answer. SNS itself hangs up after 15 s."""

BODY_LIMIT = 64 * 1024
"""Bytes of an answer."""

UNDER_WAY = 8
"""Fetches at a time; more are refused at once."""


@dataclass(frozen=True)
class Fetched:
    """An answer. Its body is never shown to whoever gave us the URL."""

    status: int
    body: bytes


Fetch = Callable[[str], Awaitable[Fetched]]
"""Fetches one URL. Raises Unavailable when there is no answer."""


class Amazon:
    """Fetches a few URLs at a time; a connection each, for it has seldom anything to fetch."""

    def __init__(self) -> None:
        self._under_way = 0

    async def fetch(self, url: str) -> Fetched:
        """GET one URL.

        Raises:
            Unavailable: there is no answer, or too long a one, or too much is being fetched already.
        """
        if self._under_way >= UNDER_WAY:
            raise Unavailable("too much is being fetched from Amazon SNS already")
        self._under_way += 1
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await _get(url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise Unavailable(f"no answer from {httpx.URL(url).host}: {type(error).__name__}") from None
        finally:
            self._under_way -= 1


async def _get(url: str) -> Fetched:
    async with (
        httpx.AsyncClient(verify=trusted(), follow_redirects=False, trust_env=False, timeout=FETCH_SECONDS) as client,
        client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
    ):
        body = b""
        async for chunk in answer.aiter_raw():  # as it comes: what is small on the wire may be huge unpacked
            body += chunk
            if len(body) > BODY_LIMIT:
                raise Unavailable(f"the answer of {answer.url.host} is longer than {BODY_LIMIT} bytes")
        return Fetched(answer.status_code, body)
