"""What is public: the API's document, and the page to browse it, which needs nothing from elsewhere."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from pagerpal_common.contracts.http import OF_OTHERS
from pagerpal_common.http.described import described
from pagerpal_common.http.openapi import document
from pagerpal_web.api import ENDPOINTS

from .conftest import Web


class Page(HTMLParser):
    """What a page is made of: its scripts, its styles, and all that its tags refer to."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.references: list[str] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self._in: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._in = tag if tag in self.texts else None
        if self._in is not None:
            self.texts[self._in].append("")
        named = {"src", "href", "action", "data", "srcset", "poster", "style"}
        self.references += [value or "" for name, value in attributes if name in named or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in is not None:
            self.texts[self._in][-1] += data


async def test_the_document_is_served_to_everybody_and_describes_every_route(web: Web) -> None:
    answer = await web("GET", "/openapi.json", who=None)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document([*(described(row) for row in ENDPOINTS), *OF_OTHERS])
    assert (await web("GET", "/openapi.json")).content == answer.content


async def test_the_page_needs_nothing_from_elsewhere(web: Web) -> None:
    answer = await web("GET", "/docs", who=None)
    page = Page(answer.text)

    assert answer.status_code == 200
    assert page.references == ["data:,"]
    (style,) = page.texts["style"]
    assert not re.search(r"@import|url\((?![\"']?data:)", style)
    bundle, start = page.texts["script"]
    assert len(bundle) > 1_000_000
    assert 'url: "openapi.json"' in start
    assert "validatorUrl: null" in start  # else it would show the document to a service of its makers


async def test_a_browser_may_run_the_scripts_of_the_page_and_ask_us_and_nothing_else(web: Web) -> None:
    answer = await web("GET", "/docs", who=None)

    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in Page(answer.text).texts["script"]
    ]
    assert policy.pop("style-src") == "'unsafe-inline'"
    assert policy == {
        "default-src": "'none'",
        "script-src": " ".join(hashes),
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_what_is_public_is_kept_for_minutes_and_read_again_by_head(path: str, web: Web) -> None:
    got, asked = await web("GET", path, who=None), await web("HEAD", path, who=None)
    assert got.headers["cache-control"] == asked.headers["cache-control"] == "public, max-age=300"
    assert got.headers["content-length"] == asked.headers["content-length"]
    assert (await web("POST", path, who=None)).status_code == 405


async def test_the_document_holds_nothing_of_this_installation(web: Web) -> None:
    before: Any = json.loads((await web("GET", "/openapi.json")).content)
    await web.made("teams", name="a team that nobody should read of")
    assert (await web("GET", "/openapi.json")).json() == before
