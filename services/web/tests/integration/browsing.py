"""Somebody with a browser: logged in by a cookie, sending the forms of our own pages. For the tests of pages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pagerpal_web.sessions import COOKIE

from .conftest import Web

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """One person's; `None` as the session: nobody's."""

    client: httpx.AsyncClient
    session: str | None
    token: str = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self._send("GET", path, headers)

    async def post(
        self, path: str, form: Mapping[str, Any] | None = None, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form with the token of this login, or with another one ("": none)."""
        csrf = self.token if token is None else token
        data = {**(form or {}), **({"csrf": csrf} if csrf else {})}
        return await self._send("POST", path, headers, data=data)

    async def _send(self, method: str, path: str, headers: Mapping[str, str], **more: Any) -> httpx.Response:
        cookie = {"cookie": f"{COOKIE}={self.session}"} if self.session else {}
        # A form without fields is still a form.
        kind = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        response = await self.client.request(method, path, headers={**kind, **cookie, **headers}, **more)
        self.client.cookies.clear()
        return response


async def browse(web: Web, who: str | None = "admin") -> Browser:
    """A browser in which this person is logged in. Its client has no API document to hold answers against."""
    app = web.client._transport.app  # type: ignore[attr-defined]
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pagerpal")
    if who is None:
        return Browser(client, None)
    browser = Browser(client, await web.session(who))
    found = _TOKEN.search((await browser.get("/logout")).text)
    assert found is not None
    browser.token = found[1]
    return browser
