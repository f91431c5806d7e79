"""What does PagerPal say of itself to somebody who has just found it? The same, however it runs."""

import json

import httpx
from pagerpal_common.contracts.http import OF_OTHERS
from pagerpal_common.http.described import described
from pagerpal_common.http.openapi import document
from pagerpal_web.api import ENDPOINTS

from tests.e2e.pagerpal import Pagerpal


async def test_the_document_is_the_same_byte_for_byte_however_pagerpal_runs(pagerpal: Pagerpal) -> None:
    expected = document([*(described(row) for row in ENDPOINTS), *OF_OTHERS])

    async with httpx.AsyncClient(base_url=pagerpal.deployment.url, trust_env=False) as stranger:
        openapi, docs = await stranger.get("/openapi.json"), await stranger.get("/docs")

    assert openapi.content == json.dumps(expected, ensure_ascii=False).encode()
    assert docs.status_code == 200
    assert "swagger-ui" in docs.text
    assert docs.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")


async def test_who_sends_nonsense_is_told_so_in_json_and_nothing_of_ours(pagerpal: Pagerpal) -> None:
    async with httpx.AsyncClient(base_url=pagerpal.deployment.url, trust_env=False) as stranger:
        answers = [
            await stranger.get("/nowhere"),
            await stranger.get("/api/v1/users/"),
            await stranger.patch("/health"),
            await stranger.request("BREW", "/health"),
            await stranger.get("/api/v1/users", headers={"X-Long": "x" * 20_000}),
            await stranger.get("/api/v1/users", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}),
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 405, 400, 431, 401]
    for answer in answers:
        assert answer.json().keys() == {"detail"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "evil" not in answer.text + str(answer.headers)
