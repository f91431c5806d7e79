"""Somebody logged in, who looks at pages and sends their forms: for tests of pages without a real browser."""

import re
from typing import Any

import httpx
from pagerpal_web.sessions import COOKIE

from .conftest import Web


class Browser:
    """Keeps the cookies, that of the login and that of what the next page is to say."""

    def __init__(self, web: Web, session: str) -> None:
        transport = httpx.ASGITransport(web.client._transport.app)  # type: ignore[attr-defined]
        self._client = httpx.AsyncClient(transport=transport, base_url="http://pagerpal", cookies={COOKIE: session})

    async def get(self, path: str) -> httpx.Response:
        return await self._client.get(path)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form with its token; a list is a field that comes several times."""
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', (await self._client.get("/logout")).text)
        assert token is not None
        return await self._client.post(path, data={"csrf": token[1], **fields}, headers={"origin": "http://pagerpal"})


async def browser_of(web: Web, who: str = "admin") -> Browser:
    """Logged in as one of the accounts."""
    return Browser(web, await web.session(who))
