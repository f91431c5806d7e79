"""Delivery receipts: who may send them, what is read of them, and what is never read."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from pagerpal_common.config import ConfigError, load
from pagerpal_common.contracts.receipts import RECEIPTS_TOGETHER, DeliveryReceipt
from pagerpal_common.db import Database
from pagerpal_common.http import application
from pagerpal_common.service import Service
from pagerpal_ingest import receipts as route
from pagerpal_ingest.domain.infobip import RESULTS_LIMIT
from pagerpal_ingest.domain.receipts import parse
from pagerpal_ingest.infobip import TOKEN_HEADER
from pagerpal_ingest.receipts import PATH, Receipts
from pagerpal_ingest.settings import IngestSettings
from pydantic import SecretStr
from starlette.routing import Route
from structlog.testing import capture_logs

from services.ingest.tests.conftest import START, ScriptedBus, TestClock

CORPUS = Path(__file__).parent.parent / "infobip"
TOKEN = "a-token-of-the-" + "tests-0123456789"
OURS = UUID("0191e180-7d60-7000-aded-7d8b151cbd5b")
NUMBER = "41793026727"

Post = Callable[..., Any]


@asynccontextmanager
async def posting(bus: ScriptedBus, token: str | None) -> AsyncIterator[Post]:
    receipts = Receipts(bus, None if token is None else SecretStr(token), TestClock())

    async def close() -> None:
        pass

    service = Service("ingest", cast(Database, None), close, routes=[Route(PATH, receipts.receive, methods=["POST"])])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application([service], bus)), base_url="http://ingest"
    ) as client:

        async def post(body: Any, **headers: Any) -> httpx.Response:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return await client.post(
                PATH, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

        yield post


@pytest.fixture
async def post(bus: ScriptedBus) -> AsyncIterator[Post]:
    """Infobip, with the right token."""
    async with posting(bus, TOKEN) as posted:

        async def with_token(body: Any, **headers: str) -> httpx.Response:
            answer: httpx.Response = await posted(body, **{TOKEN_HEADER: TOKEN, **headers})
            return answer

        yield with_token


def a_result(message_id: Any = str(OURS), **status: Any) -> dict[str, Any]:
    return {"messageId": message_id, "to": NUMBER, "status": status or {"groupName": "DELIVERED"}}


def received(bus: ScriptedBus) -> list[DeliveryReceipt]:
    return [receipt for message in bus.published for receipt in message.receipts]


def corpus(name: str) -> bytes:
    return (CORPUS / f"{name}.json").read_bytes()


# Who may


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({TOKEN_HEADER: ""}, 401),
        ({TOKEN_HEADER: "wrong"}, 403),
        ({TOKEN_HEADER: TOKEN[:-1]}, 403),
        ({TOKEN_HEADER: TOKEN + "x"}, 403),
        ({TOKEN_HEADER: b"t\xe4st"}, 403),
        ({"Authorization": TOKEN}, 401),
    ],
)
async def test_without_the_token_nothing_is_taken(headers: dict[str, Any], status: int, bus: ScriptedBus) -> None:
    async with posting(bus, TOKEN) as post:
        answer = await post({"results": [a_result()]}, **headers)

    assert answer.status_code == status
    assert TOKEN not in answer.text
    assert bus.published == []


async def test_the_token_is_checked_before_the_body_is_read(bus: ScriptedBus) -> None:
    async with posting(bus, TOKEN) as post:
        assert (await post(b"x" * (route.BODY_LIMIT + 1))).status_code == 401


async def test_while_none_is_set_anybody_may(bus: ScriptedBus) -> None:
    async with posting(bus, None) as post:
        assert (await post({"results": [a_result()]})).status_code == 200
    assert len(received(bus)) == 1


@pytest.mark.parametrize("given", [{}, {"INFOBIP_RECEIPT_TOKEN": ""}, {"INFOBIP_RECEIPT_TOKEN": "letmein"}])
def test_production_does_not_start_without_a_token(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        load(IngestSettings, {"PAGERPAL_ENV": "production", **given})

    assert "INFOBIP_RECEIPT_TOKEN: " in str(refused.value)
    assert "letmein" not in str(refused.value)


def test_a_good_token_starts_everywhere_and_development_needs_none(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    for given in ({"INFOBIP_RECEIPT_TOKEN": TOKEN}, {"INFOBIP_RECEIPT_TOKEN_FILE": str(tmp_path / "token")}):
        settings = load(IngestSettings, {"PAGERPAL_ENV": "production", **given})
        assert settings.receipt_token is not None
        assert settings.receipt_token.get_secret_value() == TOKEN
        assert TOKEN not in repr(settings)
    assert load(IngestSettings, {}).receipt_token is None


# What is read


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("courier_validStatusDelivered", [DeliveryReceipt(message_id=OURS, group="DELIVERED")]),
        ("courier_validStatusRejected", [DeliveryReceipt(message_id=OURS, group="REJECTED")]),
        ("inbound_sms_not_a_receipt_java_sdk", []),
        ("seed_delivered_bare_name", []),  # its number is none of ours, and so is that of the next
        ("receipt_delivered_v3_python_sdk", []),
    ],
)
async def test_real_bodies(name: str, expected: list[DeliveryReceipt], post: Post, bus: ScriptedBus) -> None:
    answer = await post(corpus(name))

    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    assert received(bus) == expected


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("seed_delivered_bare_name", "infobip-message-id", DeliveryReceipt(message_id=OURS, name="DELIVERED")),
        (
            "receipt_delivered_v3_python_sdk",
            "MESSAGE-ID-123-xyz",
            DeliveryReceipt(
                message_id=OURS, group="DELIVERED", name="DELIVERED_TO_HANDSET", error_code=0, is_permanent=False
            ),
        ),
    ],
)
def test_real_bodies_about_a_message_of_ours(name: str, number: str, expected: DeliveryReceipt) -> None:
    body = corpus(name).replace(number.encode(), str(OURS).encode())

    assert parse(body).receipts == (expected,)


def test_an_answer_to_a_send_is_no_receipt() -> None:
    with pytest.raises(Exception, match="does not fit its schema"):
        parse(corpus("courier_send_response_0"))


async def test_the_message_says_when_it_came_and_nothing_of_whom(post: Post, bus: ScriptedBus) -> None:
    with capture_logs() as logged:
        await post(corpus("receipt_delivered_v3_python_sdk").replace(b"MESSAGE-ID-123-xyz", str(OURS).encode()))
        await post(corpus("inbound_sms_not_a_receipt_java_sdk"))
        await post({"results": [a_result(groupName=f"call {NUMBER}", name=NUMBER, description=NUMBER)]})

    (message,) = bus.published
    assert message.occurred_at == START
    for text in (message.model_dump_json(), str(logged)):
        assert not any(secret in text for secret in (NUMBER, "385916242493", "QUIZ", "BULK-ID", "+0530", TOKEN))
    assert [entry["ignored"] for entry in logged if entry["event"] == "receipts.ignored"] == [1, 1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"groupId": 2, "groupName": None, "id": 9, "name": None}, ("UNDELIVERABLE", None)),
        ({"groupId": "5", "id": "12"}, ("REJECTED", None)),
        ({"groupId": 3, "id": 2}, ("DELIVERED", "DELIVERED_TO_OPERATOR")),
        ({"groupId": "5", "id": "23"}, ("REJECTED", "REJECTED_DUPLICATE_MESSAGE_ID")),
        ({"groupName": " delivered ", "name": "Delivered_To_Handset"}, ("DELIVERED", "DELIVERED_TO_HANDSET")),
        ({"name": "EXPIRED", "unknown": {"deep": [1]}}, (None, "EXPIRED")),
    ],
)
def test_a_status_is_read_leniently(status: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    (receipt,) = parse(json.dumps({"results": [a_result(**status)], "more": 1}).encode()).receipts
    assert (receipt.group, receipt.name) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"id": 27, "permanent": True}, (27, True)),
        ({"id": "27", "permanent": "true"}, (27, None)),
        ({"id": 10**30, "permanent": None}, (None, None)),
        ({"id": True}, (None, None)),
        ({"id": -1}, (None, None)),
        ({"id": "٣"}, (None, None)),
        (None, (None, None)),
        ("EC_ABSENT", (None, None)),
        ([], (None, None)),
    ],
)
def test_an_error_is_read_leniently(error: Any, expected: tuple[int | None, bool | None]) -> None:
    (receipt,) = parse(json.dumps({"results": [{**a_result(), "error": error}]}).encode()).receipts
    assert (receipt.error_code, receipt.is_permanent) == expected


NOT_OURS: tuple[Any, ...] = (
    *(None, 1, "text", [], {}, [[]]),
    {"messageId": str(OURS)},
    {"messageId": str(OURS), "status": None},
    {"messageId": str(OURS), "status": "DELIVERED"},
    {"messageId": str(OURS), "status": {}},
    {"messageId": str(OURS), "status": {"groupName": 3, "name": ["DELIVERED"], "groupId": 3.0, "id": 99}},
    {"status": {"groupName": "DELIVERED"}},
    *(a_result(number) for number in (None, 42, 1.5, "", "infobip-message-id", OURS.hex, f"{{{OURS}}}", "x" * 10_000)),
)


@pytest.mark.parametrize(("codes", "digits"), [("1", "1"), (" 2 ", "2"), (1, "1")])
def test_the_key_that_was_pressed_in_a_call_is_handed_on(codes: Any, digits: str) -> None:
    call = a_result() | {"voiceCall": {"feature": "Text-to-Speech", "dtmfCodes": codes}}

    assert parse(json.dumps({"results": [call]}).encode()).receipts[0].digits == digits


@pytest.mark.parametrize("codes", ["", None, "3", "12", "4711", "1,2", True, ["1"], {"1": "2"}, 11, "\u0661"])
@pytest.mark.parametrize("where", ["voiceCall", "ivr"])
def test_no_other_key_is_nor_anybodys_pin(codes: Any, where: str) -> None:
    call = a_result() | {where: {"dtmfCodes": codes}}

    assert parse(json.dumps({"results": [call]}).encode()).receipts[0].digits is None


async def test_what_is_no_receipt_for_us_takes_no_good_one_along(post: Post, bus: ScriptedBus) -> None:
    others = [str(UUID(int=number)) for number in range(1, len(NOT_OURS) + 1)]
    mixed = [part for pair in zip(NOT_OURS, map(a_result, others), strict=True) for part in pair]

    answer = await post({"results": mixed})

    assert answer.status_code == 200
    assert [str(receipt.message_id) for receipt in received(bus)] == others


@pytest.mark.parametrize("result", NOT_OURS, ids=lambda result: str(result)[:40])
async def test_what_is_known_and_what_is_not_are_answered_alike(result: Any, post: Post, bus: ScriptedBus) -> None:
    unknown, known = await post({"results": [result]}), await post({"results": [a_result()]})

    assert (
        (unknown.status_code, unknown.content) == (known.status_code, known.content) == (200, b'{"status":"accepted"}')
    )
    assert len(received(bus)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Invalid",
        b"null",
        b"1",
        b"[]",
        b'"results"',
        b"{}",
        b'{"results": null}',
        b'{"results": {}}',
        b'{"results": "x"}',
        b'{"unexpected": []}',
        b'{"results": [',
        b'{"results": [NaN',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=lambda body: str(body[:20]),
)
async def test_what_is_no_list_of_results_is_422_and_not_echoed(body: bytes, post: Post, bus: ScriptedBus) -> None:
    answer = await post(body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"
    assert bus.published == []


async def test_an_empty_list_is_fine(post: Post, bus: ScriptedBus) -> None:
    assert (await post({"results": []})).status_code == 200
    assert bus.published == []


# Bounds


async def test_a_batch_of_a_hundred_is_one_message(post: Post, bus: ScriptedBus) -> None:
    padding = {"price": {"pricePerMessage": 0.01, "currency": "EUR"}, "callbackData": "x" * 1_000}
    results = [{**a_result(str(UUID(int=number))), **padding} for number in range(100)]

    assert (await post({"results": results})).status_code == 200

    (message,) = bus.published
    assert [receipt.message_id.int for receipt in message.receipts] == list(range(100))


async def test_more_travel_in_several_messages(post: Post, bus: ScriptedBus) -> None:
    results = [a_result(str(UUID(int=number))) for number in range(RECEIPTS_TOGETHER + 1)]

    assert (await post({"results": results})).status_code == 200

    assert [len(message.receipts) for message in bus.published] == [RECEIPTS_TOGETHER, 1]


async def test_too_many_or_too_large_is_413(post: Post, bus: ScriptedBus) -> None:
    many = await post({"results": [{}] * (RESULTS_LIMIT + 1)})
    large = await post(b'{"results": [' + b" " * route.BODY_LIMIT + b"]}")

    assert (many.status_code, large.status_code) == (413, 413)
    assert bus.published == []


async def test_a_compressed_body_is_415(post: Post) -> None:
    assert (await post(b"\x1f\x8b", Content_Encoding="gzip")).status_code == 415


async def test_a_broker_that_is_away_is_503_and_infobip_comes_again(post: Post, bus: ScriptedBus) -> None:
    bus.is_away = True

    answer = await post({"results": [a_result()]})

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    bus.is_away = False
    assert (await post({"results": [a_result()]})).status_code == 200
    assert len(received(bus)) == 1
