"""What no client should send: always a 4xx, never a 500. (A bug's exception would come through to the test.)"""

import json

import pytest

from .conftest import PASSWORD, Web

USERS = "/api/v1/users"
GOOD = {"name": "Ana", "email": "ana@example.org", "role": "viewer"}

BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "form": b"name=Ana&email=ana@example.org",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "with a BOM": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "a list": b"[]",
    "null": b"null",
    "a number of 5000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "nested 30,000 deep": b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "NaN": b'{"name": NaN}',
    "NUL": json.dumps({**GOOD, "name": "a\0b"}).encode(),
    "lone surrogate": json.dumps({**GOOD, "name": "a\ud800b"}).encode(),
    "control character": json.dumps({**GOOD, "name": "a\x1b[31mb"}).encode(),
    "wrong types": json.dumps(dict.fromkeys(GOOD, 7)).encode(),
    "null where none may be": json.dumps({**GOOD, "timezone": None}).encode(),
    "a role that is none": json.dumps({**GOOD, "role": "root"}).encode(),
    "fields of the server": json.dumps({**GOOD, "id": 1, "is_active": True, "created_at": "2026-01-01"}).encode(),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_does_not_fit_is_422(body: bytes, web: Web) -> None:
    response = await web.client.post(USERS, content=body, auth=("admin@example.org", PASSWORD))
    assert response.status_code == 422, response.text
    assert all({"loc", "msg", "type"} <= set(problem) for problem in response.json()["detail"])
    assert len((await web("GET", USERS)).json()) == 5


@pytest.mark.parametrize("body", [b"[" * 100_000, b"x" * 10_000_000], ids=["100,000 brackets", "10 MB"])
async def test_a_body_that_is_too_large_is_413(body: bytes, web: Web) -> None:
    response = await web.client.post(USERS, content=body, auth=("admin@example.org", PASSWORD))
    assert response.status_code == 413


async def test_a_compressed_body_is_415(web: Web) -> None:
    headers = {"content-encoding": "gzip"}
    response = await web.client.post(USERS, content=b"x", headers=headers, auth=("admin@example.org", PASSWORD))
    assert response.status_code == 415


async def test_a_null_is_refused_in_a_patch_where_none_may_be(web: Web) -> None:
    for field in ("name", "email", "role", "timezone", "is_active"):
        assert (await web("PATCH", f"{USERS}/3", {field: None})).status_code == 422, field
    assert (await web("PATCH", f"{USERS}/3", {"phone": None})).status_code == 200


async def test_an_email_address_belongs_to_one_user_in_any_case(web: Web) -> None:
    again = await web("POST", USERS, {**GOOD, "email": "ADMIN@example.org"})
    taken = await web("PATCH", f"{USERS}/3", {"email": "Responder@Example.org"})
    assert [response.status_code for response in (again, taken)] == [409, 409]
    assert again.json()["detail"] == "another user has this email address"


@pytest.mark.parametrize("at", ["yesterday", "2026-05-21T12:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_an_instant_without_a_zone_or_out_of_range_is_422(at: str, web: Web) -> None:
    team = await web.a_team()
    assert (await web("GET", f"/api/v1/teams/{team['id']}/oncall?at={at}")).status_code == 422


async def test_what_is_no_route_is_404_and_another_method_405(web: Web) -> None:
    assert (await web("GET", "/api/v1/users/abc")).status_code == 404
    assert (await web("GET", "/api/v1/users/-1")).status_code == 404
    assert (await web("PUT", "/api/v1/users/1")).status_code == 405
