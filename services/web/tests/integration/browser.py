"""Somebody who looks at our pages and sends their forms: for tests of pages without a real browser."""

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from .conftest import PASSWORD, Web

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Browser:
    """Keeps its cookies, as browsers do, and follows no redirect. What pages answer is in no document, so nothing is
    compared with one."""

    def __init__(self, web: Web) -> None:
        transport = httpx.ASGITransport(web.client._transport.app)  # type: ignore[attr-defined]
        self.client = httpx.AsyncClient(transport=transport, base_url="http://pagerpal")

    async def get(self, path: str, /, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, fields: Mapping[str, Any] | None = None, /, **named: Any) -> httpx.Response:
        """Send a form of ours, with the token of this login. A list is a field that comes several times; `__` in a
        name stands for a `-`."""
        more = {name.replace("__", "-"): value for name, value in named.items()}
        return await self.send(path, {"csrf": await self.token(), **(fields or {}), **more})

    async def send(self, path: str, fields: Mapping[str, Any], /, **headers: str) -> httpx.Response:
        """Send these fields and no others."""
        form = {"content-type": "application/x-www-form-urlencoded", "origin": "http://pagerpal"}
        return await self.client.post(path, content=urlencode(fields, doseq=True), headers={**form, **headers})

    async def done(self, path: str, fields: Mapping[str, Any] | None = None, /, **named: Any) -> str:
        """Send a form whose wish is fulfilled: the text of the page that it leads to."""
        response = await self.post(path, fields, **named)
        assert response.status_code == 303, text_of(response)
        shown = await self.get(response.headers["location"])
        assert shown.status_code == 200
        return text_of(shown)

    async def token(self) -> str:
        """What makes a form one of this login."""
        found = _TOKEN.search((await self.get("/logout")).text)
        assert found is not None
        return found[1]


async def browse(web: Web, who: str = "admin", password: str = PASSWORD) -> Browser:
    """One in which this account is logged in."""
    browser = Browser(web)
    credentials = {"email": f"{who}@example.org", "password": password}
    response = await browser.client.post("/login", json=credentials)
    assert response.status_code == 200, response.text
    return browser


def text_of(response: httpx.Response) -> str:
    """What is read on the page, on one line; what stands in its fields, in brackets."""
    fields = re.sub(r'<input [^>]*?value="([^"]*)"[^>]*>', r" [\1] ", response.text.partition("<main")[2])
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", f"<main{fields}")).split())
    return re.sub(r" (?=[,.:;])", "", words)
