"""How are many requests to one provider under way at once, at little cost? Over several small pools of connections.

httpx goes through all connections and all requests of a pool for each request: with 50 at once that was more than half
of the notifier's CPU (`benchmarks/notifier.py`).
"""

import httpx
from pagerpal_common.tls import trusted

SHARE = 5
"""Requests to a pool, as long as they are evenly spread."""


class Spread(httpx.AsyncBaseTransport):
    """Sends each request by the pool that has the fewest under way."""

    def __init__(self, requests: int) -> None:
        """`requests`: how many are under way at most. None of them waits for a connection."""
        limits = httpx.Limits(max_connections=requests, max_keepalive_connections=SHARE, keepalive_expiry=30.0)
        self._pools = [
            httpx.AsyncHTTPTransport(verify=trusted(), limits=limits, trust_env=False)
            for _ in range(max(1, requests // SHARE))
        ]
        self._under_way = [0] * len(self._pools)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The provider's answer, as far as its head."""
        place = min(range(len(self._pools)), key=self._under_way.__getitem__)
        self._under_way[place] += 1
        try:
            return await self._pools[place].handle_async_request(request)
        finally:
            self._under_way[place] -= 1

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.aclose()
