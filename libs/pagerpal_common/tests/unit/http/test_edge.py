"""Every answer of every route: numbered, hardened, `{"detail": …}` when it is no, and one outermost net."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import structlog
from pagerpal_common.bus import Bus
from pagerpal_common.db import Database
from pagerpal_common.errors import DatabaseUnavailable, NotFound, Unauthenticated
from pagerpal_common.http import Account, Body, Call, Endpoint, Query, application, guard, health, json_response, routes
from pagerpal_common.service import Service
from pagerpal_common.vocabulary import Role
from prometheus_client import REGISTRY
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

HARDENED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Door(Body):
    """What to do with it."""

    is_open: bool


class Page(Query):
    """Which part."""

    limit: int = Field(10, ge=1, le=100)


class House:
    """What the handlers work with: what goes wrong, and where they wait."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.arrivals = asyncio.Semaphore(0)
        self.gate = asyncio.Event()


async def show(_house: House, call: Call[None]) -> dict[str, int]:
    """Show a door."""
    if call.ids["door_id"] != 1:
        raise NotFound("there is no such door")
    return dict(call.ids)


async def move(_house: House, call: Call[Door]) -> dict[str, bool]:
    """Move a door."""
    return {"is_open": call.body.is_open}


async def marks(_house: House, call: Call[Page]) -> list[int]:
    """What is written on it."""
    return list(range(call.body.limit))


async def fail(house: House, _call: Call[None]) -> None:
    """Go wrong."""
    if house.trouble is not None:
        raise house.trouble


async def wait(house: House, _call: Call[None]) -> str:
    """Take long."""
    house.arrivals.release()
    await house.gate.wait()
    return "at last"


async def page(_house: House, _call: Call[None]) -> Response:
    """Something with rules of its own."""
    return json_response(
        "page", headers={"Cache-Control": "public, max-age=60", "Content-Security-Policy": "img-src *"}
    )


ROWS = (
    Endpoint("GET", "/health", health, None),
    Endpoint("GET", "/doors/{door_id:int}", show, Role.VIEWER),
    Endpoint("PUT", "/doors/{door_id:int}", move, Role.ADMIN, Door),
    Endpoint("GET", "/doors/{door_id:int}/marks", marks, Role.VIEWER, Page),
    Endpoint("POST", "/fail", fail, None),
    Endpoint("GET", "/wait", wait, None),
    Endpoint("GET", "/page", page, None),
)


async def by_name(_house: House, request: Request) -> Account:
    if "authorization" not in request.headers:
        raise Unauthenticated("an account is required")
    return Account(1, Role(request.headers["authorization"]))


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async def close() -> None:
        return None

    service = Service("house", cast(Database, None), close, routes=routes(house, ROWS, by_name))
    transport = httpx.ASGITransport(application([service], cast(Bus, None)), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://pagerpal", headers={"Authorization": "admin"}
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/livez", 200),
        ("GET", "/doors/1", 200),
        ("GET", "/doors/2", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/health/", 404),
        ("DELETE", "/health", 405),
        ("PUT", "/doors/1", 422),
        ("POST", "/fail", 500),
    ],
)
async def test_every_answer_is_hardened_and_numbered(
    method: str, path: str, status: int, client: httpx.AsyncClient, house: House
) -> None:
    house.trouble = ZeroDivisionError("a bug")

    answer = await client.request(method, path, headers={"X-Request-ID": "mine-1"})

    assert answer.status_code == status
    assert HARDENED.items() <= answer.headers.items()
    assert answer.headers["x-request-id"] == "mine-1"
    assert status < 400 or answer.json().keys() == {"detail"}


async def test_an_answer_may_say_otherwise_of_itself(client: httpx.AsyncClient) -> None:
    answer = await client.get("/page")
    assert answer.headers.get_list("cache-control") == ["public, max-age=60"]
    assert answer.headers.get_list("content-security-policy") == ["img-src *"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "pp_1\n2", "ümlaut"])
async def test_a_number_that_could_do_harm_is_replaced(given: str, client: httpx.AsyncClient) -> None:
    answers = [await client.get("/health", headers=[(b"X-Request-ID", given.encode())]) for _ in range(2)]
    numbers = {answer.headers["x-request-id"] for answer in answers}
    assert len(numbers) == 2
    assert all(len(number) == 32 and int(number, 16) for number in numbers)


async def test_a_bug_is_500_with_its_number_and_nothing_of_what_went_wrong(
    client: httpx.AsyncClient, house: House
) -> None:
    house.trouble = ZeroDivisionError("the password is hunter2")
    answer = await client.post("/fail", headers={"X-Request-ID": "mine-1"})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "an internal error; it has been logged as request mine-1"}


async def test_a_bug_reaches_the_server_with_its_number_still_bound(house: House) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(_message: Any) -> None:
        return None

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"x-request-id", b"mine-1")]}
    with pytest.raises(ZeroDivisionError):
        await guard.Guard(app)(scope, receive, send)
    assert structlog.contextvars.get_contextvars()["request_id"] == "mine-1"


async def test_our_own_trouble_is_503_and_says_when_to_come_again(client: httpx.AsyncClient, house: House) -> None:
    house.trouble = DatabaseUnavailable("SQLSTATE 57P01 at 10.0.0.1")
    answer = await client.post("/fail")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"detail": "PagerPal cannot do this just now; try again"}


async def test_too_many_requests_at_once_are_turned_away_but_not_those_who_ask_whether_we_live(
    client: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "UNDER_WAY_LIMIT", 2)
    under_way = [asyncio.create_task(client.get("/wait")) for _ in range(2)]
    for _ in under_way:
        await house.arrivals.acquire()

    counted = turned_away()
    refused = await client.get("/doors/1")
    alive = [await client.get(path) for path in ("/livez", "/health")]
    house.gate.set()
    answers = await asyncio.gather(*under_way)
    after = await client.get("/doors/1")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json() == {"detail": "PagerPal has too much to do just now; try again"}
    assert [answer.status_code for answer in (*alive, *answers, after)] == [200] * 5
    assert turned_away() == counted + 1


def turned_away() -> float:
    """How many requests the metrics know of that nobody had time for."""
    labels = {"method": "GET", "route": "(too busy)", "status": "503"}
    return REGISTRY.get_sample_value("pagerpal_http_request_duration_seconds_count", labels) or 0.0


async def test_a_method_that_a_path_has_not_is_405_and_names_those_it_has(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/doors/1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, PUT")
    assert answer.json() == {"detail": "Method Not Allowed"}


async def test_a_path_with_a_slash_too_many_is_not_sent_elsewhere(client: httpx.AsyncClient) -> None:
    """Starlette would redirect to whatever the Host header says."""
    answer = await client.get("/doors/1/", headers={"Host": "evil.example"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("role", "path", "body", "status"),
    [
        (None, "/doors/2", "{", 401),
        ("viewer", "/doors/2", "{", 403),
        ("admin", "/doors/2", "{", 404),
        ("admin", "/doors/1", "{", 422),
        ("admin", f"/doors/{2**63}", "{", 404),
        ("admin", "/doors/2", '{"is_open": true}' + " " * 65_536, 404),
        ("admin", "/doors/1", '{"is_open": true}' + " " * 65_536, 413),
        ("admin", "/doors/1", '{"is_open": true}', 200),
    ],
)
async def test_what_is_wrong_is_said_in_order_who_then_where_then_what(
    role: str | None, path: str, body: str, status: int, client: httpx.AsyncClient
) -> None:
    request = client.build_request("PUT", path, content=body, headers={"Authorization": role or ""})
    if role is None:
        del request.headers["Authorization"]
    assert (await client.send(request)).status_code == status


async def test_a_query_that_does_not_fit_is_422_only_where_there_is_something(client: httpx.AsyncClient) -> None:
    answers = [await client.get(f"/doors/{door}/marks?limit=0") for door in (1, 2)]
    assert [answer.status_code for answer in answers] == [422, 404]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 200),
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('application/JSON; Charset="UTF-8"; x=y', 200),
        ("application/x-www-form-urlencoded", 200),
        ("text/plain; charset=us-ascii", 200),
        ("", 200),
        ("application/json; charset=latin-1", 415),
        ("application/json; x=y; charset = utf-16", 415),
    ],
)
async def test_a_body_is_json_whatever_it_is_called_but_in_utf_8(
    content_type: str | None, status: int, client: httpx.AsyncClient
) -> None:
    """`curl -d` calls everything a form."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await client.put("/doors/1", content='{"is_open": true}', headers=headers)
    assert answer.status_code == status, answer.text


async def test_what_changes_something_or_fails_is_logged_with_its_path_and_never_its_query(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as lines:
        await client.get("/doors/1?token=secret")
        await client.put("/doors/1?token=secret", json={"is_open": True})
        await client.get("/doors/2?token=secret")
        await client.get("/readyz/")
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("PUT", "/doors/1", 200),
        ("GET", "/doors/2", 404),
        ("GET", "/readyz/", 404),
    ]
    assert "secret" not in str(lines)
