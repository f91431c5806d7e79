"""Does anything a sender can put into a body break the door? `blns.json` is a part of the Big List
of Naughty Strings (github.com/minimaxir/big-list-of-naughty-strings, MIT, © 2015 Max Woolf)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pagerpal_common.contracts.alerts import Alert

from services.ingest.tests.conftest import is_away
from services.ingest.tests.integration.conftest import KEY, Door

NAUGHTY: list[str] = json.loads((Path(__file__).parents[1] / "blns.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("field", ["title", "description", "external_id", "severity", "status", "team_id", "source_id"])
async def test_a_naughty_string_is_taken_or_refused_in_every_field(door: Door, field: str) -> None:
    statuses = [(await door.post_fields({field: text})).status_code for text in NAUGHTY]

    assert set(statuses) <= {201, 422}
    if field in {"title", "description", "external_id"}:
        assert statuses.count(201) > len(NAUGHTY) * 0.9
        sent = [text for text, status in zip(NAUGHTY, statuses, strict=True) if status == 201]
        kept = [getattr(alert, field) for alert in door.bus.alerts]
        assert kept == [SHOWN[field](text) for text in sent]


TURNING = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks that turn the direction of reading."""


def _title(text: str) -> str:
    shown = " ".join(text.translate(TURNING | dict.fromkeys(range(0x7F, 0xA0))).split())
    return shown if len(shown) <= 255 else shown[:254] + "…"


SHOWN: dict[str, Callable[[str], str]] = {
    "title": _title,
    "description": lambda text: text.translate(TURNING),
    "external_id": lambda text: text,
}
"""What is kept of a text in each field."""


@pytest.mark.parametrize("field", ["title", "description", "external_id"])
async def test_what_is_taken_can_be_spooled(door: Door, field: str) -> None:
    door.bus.script = is_away

    statuses = [(await door.post_fields({field: text})).status_code for text in NAUGHTY]

    assert set(statuses) <= {202, 422}
    spooled = [Alert.model_validate_json(json.dumps(row["body"])) for row in await door.spooled()]
    assert sorted(spooled, key=str) == sorted(door.bus.alerts, key=str)
    assert len(spooled) == statuses.count(202)


@pytest.mark.parametrize("name", ["X-API-Key", "Authorization", "Idempotency-Key"])
async def test_a_naughty_header_is_never_a_500(door: Door, name: str) -> None:
    body = b'{"title":"x","severity":"info"}'
    for text in NAUGHTY:
        value = text.encode().replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b"")
        headers = [(name.encode(), b"Bearer " + value if name == "Authorization" else value)]
        if name == "Idempotency-Key":
            headers.append((b"X-API-Key", KEY.encode()))

        answer = await door.client.post("/api/v1/alerts", content=body, headers=headers)

        assert answer.status_code in {201, 401, 403, 422}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        b"null",
        b"true",
        b"1" * 200_000,
        b"[" * 200_000,
        b'{"title":' * 20_000,
        b'{"title":"x","severity":"info","team_id":' + b"9" * 5_000 + b"}",
        b'{"title":"x","severity":"info","team_id":' + b"9" * 4_000 + b"}",
        b'{"title":"x","severity":"info","source_id":-1e400}',
        b'{"title":"\xed\xa0\x80","severity":"info"}',
        b'{"title":"\\ud83d","severity":"info"}',
        b'{"title":"x","severity":"info","external_id":"\\u0000"}',
        b'{"title":"x","severity":"info","status":"resolved"}',
        b"title=x&severity=info",
        b"<alert/>",
    ],
)
async def test_a_nasty_body_is_refused_as_the_sender_s(door: Door, body: bytes) -> None:
    answer = await door.post_raw(body)

    assert answer.status_code in {403, 422}
    assert answer.json()["detail"]
    assert door.bus.groups == []


async def test_nasty_extras_do_not_cost_the_alert(door: Door) -> None:
    bodies = [
        b'{"title":"x","severity":"info","severity":"critical","n":NaN,"i":-Infinity}',
        b'{"title":"x","severity":"info","":{},"__proto__":{"a":[]},"nul":"\\u0000"}',
        b' \n\t{"title":"\\ud83d\\udd25","severity":"info"}\r\n',
    ]

    assert [(await door.post_raw(body)).status_code for body in bodies] == [201, 201, 201]
    assert [alert.severity for alert in door.bus.alerts] == ["critical", "info", "info"]
