"""Somebody who looks at our pages and fills in their forms, without a browser."""

import html
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from .conftest import PASSWORD, Web

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Browser:
    """Keeps its cookies, as browsers do. What pages answer is in no document, so nothing is compared with one."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, /, **fields: object) -> httpx.Response:
        """Send a form of ours to this address. A name may have a `-` in it: write it as `__`."""
        found = _TOKEN.search((await self.get("/logout")).text)
        assert found is not None
        named = {name.replace("__", "-"): value for name, value in fields.items()}
        return await self.send(path, {"csrf": found[1], **named})

    async def send(self, path: str, fields: Mapping[str, object]) -> httpx.Response:
        """Send these fields and no others."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.client.post(path, content=urlencode(fields).encode(), headers=headers)

    async def done(self, path: str, /, **fields: object) -> str:
        """Send a form whose wish is fulfilled: the text of the page that it leads to."""
        response = await self.post(path, **fields)
        assert response.status_code == 303, text_of(response)
        shown = await self.get(response.headers["location"])
        assert shown.status_code == 200
        return text_of(shown)


async def browser(web: Web, who: str = "admin", password: str = PASSWORD) -> Browser:
    """One in which this account is logged in."""
    app = web.client._transport.app  # type: ignore[attr-defined]
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pagerpal")
    response = await client.post("/login", json={"email": f"{who}@example.org", "password": password})
    assert response.status_code == 200, response.text
    return Browser(client)


def text_of(response: httpx.Response) -> str:
    """What is read on the page, on one line; what stands in its fields, in brackets."""
    fields = re.sub(r'<input [^>]*?value="([^"]*)"[^>]*>', r" [\1] ", response.text.partition("<main")[2])
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", f"<main{fields}")).split())
    return re.sub(r" (?=[,.:;])", "", words)
