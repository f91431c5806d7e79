"""SMS that come in: who may bring them, what is understood, and what is never passed on."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.contracts.replies import REPLIES_TOGETHER, SmsReply
from pagerpal_common.db import Database
from pagerpal_common.errors import Unavailable
from pagerpal_common.http import application
from pagerpal_common.service import Service
from pagerpal_common.vocabulary import ReplyCommand
from pagerpal_ingest.domain.replies import parse, understood
from pagerpal_ingest.infobip import TOKEN_HEADER
from pagerpal_ingest.replies import BODY_LIMIT, PATH, Replies
from pydantic import SecretStr
from starlette.routing import Route
from structlog.testing import capture_logs

from services.ingest.tests.conftest import START, ScriptedBus, TestClock

CORPUS = Path(__file__).parent.parent / "infobip"
TOKEN = "a-token-of-the-" + "tests-0123456789"
ANA = "+491511234567"
ACK, RESOLVE, ESCALATE = ReplyCommand.ACKNOWLEDGE, ReplyCommand.RESOLVE, ReplyCommand.ESCALATE

Post = Callable[..., Any]


class Directory:
    """Who has which number."""

    def __init__(self) -> None:
        self.people: dict[str, Sequence[int]] = {ANA: [3]}
        self.is_away = False
        self.asked: list[Sequence[str]] = []

    async def find(self, phones: Sequence[str]) -> Mapping[str, Sequence[int]]:
        self.asked.append(phones)
        if self.is_away:
            raise Unavailable("not connected")
        return {phone: self.people[phone] for phone in phones if phone in self.people}


@pytest.fixture
def directory() -> Directory:
    return Directory()


@asynccontextmanager
async def posting(bus: ScriptedBus, directory: Directory, token: str | None = TOKEN) -> AsyncIterator[Post]:
    replies = Replies(bus, None if token is None else SecretStr(token), TestClock(), directory.find)

    async def close() -> None:
        pass

    service = Service("ingest", cast(Database, None), close, routes=[Route(PATH, replies.receive, methods=["POST"])])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application([service], bus)), base_url="http://ingest"
    ) as client:

        async def post(body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            given = {TOKEN_HEADER: TOKEN} if headers is None else headers
            return await client.post(PATH, content=content, headers=given)

        yield post


@pytest.fixture
async def post(bus: ScriptedBus, directory: Directory) -> AsyncIterator[Post]:
    """Infobip, with the right token."""
    async with posting(bus, directory) as posted:
        yield posted


def an_sms(text: str = "ack 42", number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"messageId": f"81779{number}", "from": ANA.lstrip("+"), "to": "44", "text": text, **fields}


def received(bus: ScriptedBus) -> list[SmsReply]:
    return [reply for message in bus.replies for reply in message.replies]


# Who may


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({TOKEN_HEADER: ""}, 401), ({TOKEN_HEADER: "wrong"}, 403), ({TOKEN_HEADER: TOKEN + "x"}, 403)],
)
async def test_without_the_token_nothing_is_taken(
    headers: dict[str, str], status: int, post: Post, bus: ScriptedBus, directory: Directory
) -> None:
    answer = await post({"results": [an_sms()]}, headers)

    assert answer.status_code == status
    assert (bus.replies, directory.asked) == ([], [])


async def test_while_none_is_set_anybody_may(bus: ScriptedBus, directory: Directory) -> None:
    async with posting(bus, directory, token=None) as post:
        assert (await post({"results": [an_sms()]}, {})).status_code == 200
    assert len(received(bus)) == 1


# What is understood


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ack 42", (ACK, 42)),
        ("ACK 42", (ACK, 42)),
        ("Ack #42", (ACK, 42)),
        ("ack42", (ACK, 42)),
        ("a 42", (ACK, 42)),
        ("a42", (ACK, 42)),
        ("ack: 42", (ACK, 42)),
        ("acknowledge 42", (ACK, 42)),
        ("  ack\t42 \r\n", (ACK, 42)),
        ("\u201cack 42\u201d", (ACK, 42)),
        ('"ack 42."', (ACK, 42)),
        ("ack\u00a042!", (ACK, 42)),
        ("ack 0042", (ACK, 42)),
        ("a", (ACK, None)),
        ("ACK", (ACK, None)),
        ("Ack!", (ACK, None)),
        ("r 42", (RESOLVE, 42)),
        ("Resolve 42", (RESOLVE, 42)),
        ("resolve", (RESOLVE, None)),
        ("e 42", (ESCALATE, 42)),
        ("ESCALATE #42", (ESCALATE, 42)),
        ("esc42", (ESCALATE, 42)),
        ("ack " + "9" * 18, (ACK, 10**18 - 1)),
    ],
)
def test_a_command_is_understood_however_it_is_typed(text: str, expected: tuple[ReplyCommand, int | None]) -> None:
    assert understood(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?",
        "42",
        "ok",
        "yes 42",
        "ack 42 43",
        "ack 42, 43",
        "ack 42 resolve 42",
        "ack 42\nresolve 42",
        "a r",
        "ack resolve 42",
        "do not ack 42",
        "ack 42 please",
        "ack 42 not",
        "ack 4.2",
        "ack ٤٢",
        "ack \uff14\uff12",
        "ack ²",
        "ack " + "9" * 19,
        "acknowledged-by-bo",
        "backtrack 42",
        "ack 42" + " " * 200,
        "ack\x0042",
        "а 42",  # noqa: RUF001 - a Cyrillic letter
    ],
)
def test_what_is_not_one_command_and_no_more_asks_for_nothing(text: str) -> None:
    assert understood(text) == (None, None)


@given(st.text())
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    command, incident_id = understood(text)

    assert incident_id is None or (command is not None and 0 <= incident_id < 10**18)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_no_field_is_too_strange_to_be_read(value: Any) -> None:
    for name in ("messageId", "from", "text", "cleanText"):
        parse(json.dumps({"results": [an_sms("PAGER a 1") | {name: value}, value]}).encode())


@pytest.mark.parametrize(
    ("sms", "expected"),
    [
        (an_sms("PAGER ack 42", keyword="PAGER", cleanText="ack 42"), (ACK, 42)),
        (an_sms("ACK 42", keyword="ACK", cleanText="42"), (ACK, 42)),
        (an_sms("PAGER what?", keyword="PAGER", cleanText="what?"), (None, None)),
        (an_sms("ack 42", keyword=None, cleanText=None), (ACK, 42)),
    ],
)
async def test_a_keyword_before_the_command_does_no_harm(
    sms: Any, expected: tuple[ReplyCommand | None, int | None], post: Post, bus: ScriptedBus
) -> None:
    assert (await post({"results": [sms]})).status_code == 200

    assert [(reply.command, reply.incident_id) for reply in received(bus)] == [expected]


# What is passed on


@pytest.mark.parametrize("sender", [ANA, ANA.lstrip("+"), f" {ANA} "])
async def test_a_number_becomes_the_people_who_have_it(
    sender: str, post: Post, bus: ScriptedBus, directory: Directory
) -> None:
    directory.people[ANA] = [3, 5]

    await post({"results": [an_sms() | {"from": sender}]})

    (reply,) = received(bus)
    assert (reply.user_ids, reply.sender, reply.command, reply.incident_id) == ((3, 5), "+49…4567", ACK, 42)


@pytest.mark.parametrize("sender", ["4915112345670", "49151123456", "01511234567", "INFOBIP", "", "٤٩١٥١١٢٣٤٥٦٧"])
async def test_a_number_is_matched_whole_and_a_stranger_is_nobody(sender: str, post: Post, bus: ScriptedBus) -> None:
    answer = await post({"results": [an_sms() | {"from": sender}]})

    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    assert [reply.user_ids for reply in received(bus)] == [()]


async def test_neither_text_nor_number_is_in_the_message_or_in_the_log(post: Post, bus: ScriptedBus) -> None:
    with capture_logs() as logged:
        await post({"results": [an_sms("ring me at +4915199999999"), {"from": ANA}]})
        await post((CORPUS / "inbound_sms_not_a_receipt_java_sdk.json").read_bytes())

    assert len(received(bus)) == 2
    assert bus.replies[0].occurred_at == START
    for told in (*(message.model_dump_json() for message in bus.replies), str(logged)):
        for secret in (ANA.lstrip("+"), "4915199999999", "ring", "385916242493", "QUIZ", "Paris", "81779"):
            assert secret not in told
    assert [entry["ignored"] for entry in logged if entry["event"] == "replies.ignored"] == [1]


async def test_the_same_sms_has_the_same_number_whenever_it_is_delivered(post: Post, bus: ScriptedBus) -> None:
    for number in (1, 2, 1):
        await post({"results": [an_sms(number=number)]})

    first, other, again = (reply.reply_id for reply in received(bus))
    assert first == again != other


@pytest.mark.parametrize(
    "result",
    [
        *(None, 1, "text", [], {}),
        *({name: value for name, value in an_sms().items() if name != left} for left in ("messageId", "from", "text")),
        *(an_sms() | {name: 42} for name in ("messageId", "from", "text")),
        an_sms() | {"messageId": ""},
        an_sms() | {"messageId": "x" * 201},
        {"messageId": "x", "to": "49", "status": {"groupName": "DELIVERED"}},
    ],
    ids=lambda result: str(result)[:60],
)
async def test_what_is_no_sms_takes_no_good_one_along(result: Any, post: Post, bus: ScriptedBus) -> None:
    answer = await post({"results": [result, an_sms(number=7), result]})

    assert answer.status_code == 200
    assert [reply.incident_id for reply in received(bus)] == [42]


# Bounds, and our own trouble


async def test_many_travel_in_several_messages_and_are_looked_up_in_one_question(
    post: Post, bus: ScriptedBus, directory: Directory
) -> None:
    results = [an_sms(number=number) for number in range(REPLIES_TOGETHER + 1)]

    assert (await post({"results": results})).status_code == 200

    assert [len(message.replies) for message in bus.replies] == [REPLIES_TOGETHER, 1]
    assert directory.asked == [[ANA]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{}", 422),
        (b'{"results": {}}', 422),
        (b"x" * (BODY_LIMIT + 1), 413),
        (b'{"results": [' + b"1," * 1_000 + b"1]}", 413),
        (b'{"results": []}', 200),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_body_has_bounds(body: bytes, status: int, post: Post, bus: ScriptedBus) -> None:
    assert (await post(body)).status_code == status
    assert bus.replies == []


@pytest.mark.parametrize("away", ["directory", "broker"])
async def test_our_own_trouble_is_503_and_infobip_comes_again(
    away: str, post: Post, bus: ScriptedBus, directory: Directory
) -> None:
    bus.is_away, directory.is_away = away == "broker", away == "directory"

    answer = await post({"results": [an_sms()]})

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert bus.replies == []
