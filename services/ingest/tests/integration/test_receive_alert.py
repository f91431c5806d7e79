"""What does a sender hear, and is its alert kept when parts of PagerPal are away?"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.config import ConfigError
from pagerpal_common.contracts.alerts import GROUP_LIMIT, Alert
from pagerpal_common.http import bodies
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from pagerpal_ingest.service import build
from pagerpal_ingest.settings import IngestSettings
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.ingest.tests.conftest import ScriptedBus, TestClock, an_incident, behind, is_away, is_silent, opens, ticks
from services.ingest.tests.integration.conftest import BODY, KEY, Door

RAW = json.dumps(BODY).encode()


def _basic(credentials: str) -> str:
    return "Basic " + b64encode(credentials.encode()).decode()


async def test_an_alert_that_opens_an_incident_is_201_with_the_incident(door: Door) -> None:
    answer = await door.post(description="for 10 minutes", team_id=1, source_id=7)

    assert answer.status_code == 201
    (alert,) = door.bus.alerts
    assert answer.json() == json.loads(an_incident(alert).model_dump_json())
    assert (answer.json()["title"], answer.json()["created_at"]) == ("disk full", "2026-05-21T12:00:00Z")
    assert (alert.source_id, alert.team_id, alert.escalation_policy_id) == (7, 1, 5)
    assert alert.received_at == door.clock.at
    assert await door.spooled() == []


async def test_requests_are_counted_by_route_and_status_whatever_becomes_of_them(door: Door) -> None:
    def counted(status: str) -> float:
        labels = {"method": "POST", "route": "/api/v1/alerts", "status": status}
        return REGISTRY.get_sample_value("pagerpal_http_request_duration_seconds_count", labels) or 0.0

    before = counted("201"), counted("503")

    await door.post()
    await door.cable.cut()
    await door.post(key="not known yet")

    assert (counted("201"), counted("503")) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("outcome", [AlertOutcome.UPDATED, AlertOutcome.RESOLVED, AlertOutcome.DUPLICATE])
async def test_an_alert_of_an_incident_already_there_is_200_with_the_incident(
    door: Door, outcome: AlertOutcome
) -> None:
    door.bus.script = opens(outcome)

    answer = await door.post(status="resolved")

    assert (answer.status_code, answer.json()["id"]) == (200, 42)
    assert door.bus.alerts[0].status is AlertStatus.RESOLVED


async def test_resolving_what_is_not_open_is_200(door: Door) -> None:
    door.bus.script = opens(AlertOutcome.IGNORED, with_incident=False)

    answer = await door.post(status="resolved")

    assert answer.status_code == 200
    alert_id = str(door.bus.alerts[0].alert_id)
    assert answer.json() == {"status": "ignored", "alert_id": alert_id, "external_id": "db-1"}

    door.bus.script = opens(AlertOutcome.IGNORED)
    assert (await door.post(status="resolved")).json()["id"] == 42


async def test_an_alert_that_could_not_be_handled_is_our_own_trouble(door: Door) -> None:
    door.bus.script = opens(AlertOutcome.PARKED, with_incident=False)

    answer = await door.post()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"X-API-Key": KEY}, ""),
        ({"X-Alert-Source-Key": KEY}, ""),
        ({"Authorization": f"Bearer {KEY}"}, ""),
        ({"Authorization": _basic(f"grafana:{KEY}")}, ""),
        ({}, f"?api_key={KEY}"),
        ({}, f"?token={KEY}"),
        ({"X-API-Key": KEY, "Authorization": f"Bearer {KEY}"}, f"?token={KEY}"),
    ],
)
async def test_the_key_may_be_in_any_of_its_places(door: Door, headers: dict[str, str], query: str) -> None:
    answer = await door.client.post(f"/api/v1/alerts{query}", content=RAW, headers=headers)

    assert answer.status_code == 201


async def test_the_key_is_looked_at_before_the_body(door: Door) -> None:
    await door.add_source(8, "pp_inactive", is_active=False)

    async def status(key: str | None, **headers: str) -> int:
        given = headers if key is None else {"X-API-Key": key, **headers}
        return (await door.client.post("/api/v1/alerts", content=b"{", headers=given)).status_code

    assert await status(None) == 401
    assert await status(None, Authorization="Basic Og==") == 401
    assert await status(None, Authorization=_basic("grafana:pp_unknown")) == 403
    assert await status(KEY, Authorization=_basic("grafana:pp_other")) == 400
    assert await status("pp_unknown") == 403
    assert await status("pp_inactive") == 403
    assert await status(KEY, Authorization="Bearer pp_other") == 400
    assert await status(KEY) == 422
    assert door.bus.groups == []


async def test_what_a_source_may_not_do_is_403(door: Door) -> None:
    assert (await door.post(source_id=8)).status_code == 403
    assert (await door.post(team_id=3)).status_code == 403
    assert (await door.post(team_id=2**80)).status_code == 403

    assert (await door.post(team_id=2)).status_code == 201
    assert (door.bus.alerts[-1].team_id, door.bus.alerts[-1].escalation_policy_id) == (2, None)


async def test_a_body_that_does_not_fit_is_422_and_is_not_echoed(door: Door) -> None:
    answer = await door.post(title="", severity="p4ssw0rd", team_id="secret")

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [
        ["body", "title"],
        ["body", "severity"],
        ["body", "team_id"],
    ]
    assert "p4ssw0rd" not in answer.text
    assert "secret" not in answer.text


async def test_too_large_and_compressed_bodies_are_refused(door: Door) -> None:
    def body(size: int) -> bytes:
        return RAW[:-1] + b" " * (size - len(RAW)) + b"}"

    assert (await door.post_raw(body(256 * 1024))).status_code == 201
    assert (await door.post_raw(body(256 * 1024 + 1))).status_code == 413
    assert (await door.post_raw(RAW, **{"Content-Encoding": "gzip"})).status_code == 415


@pytest.mark.parametrize(
    ("encodings", "status"),
    [
        ([""], 201),
        ([" "], 201),
        (["identity"], 201),
        ([" Identity , "], 201),
        (["", "identity"], 201),
        (["x-gzip"], 415),
        (["identity, gzip"], 415),
        (["", "gzip"], 415),
    ],
)
async def test_a_body_is_compressed_only_when_a_header_names_how(door: Door, encodings: list[str], status: int) -> None:
    headers = [("X-API-Key", KEY), *(("Content-Encoding", encoding) for encoding in encodings)]

    answer = await door.client.post("/api/v1/alerts", content=RAW, headers=headers)

    assert answer.status_code == status


async def test_the_content_type_is_not_believed(door: Door) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "nonsense"):
        assert (await door.post_raw(RAW, **{"Content-Type": content_type})).status_code == 201


async def test_a_repeated_idempotency_key_is_the_same_alert(door: Door) -> None:
    for key in ("a", "a", "b"):
        assert (await door.post(headers={"Idempotency-Key": key})).status_code == 201

    first, again, other = (alert.alert_id for alert in door.bus.alerts)
    assert first == again != other


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
async def test_an_idempotency_key_that_cannot_be_one_is_422(door: Door, key: str) -> None:
    raw: list[tuple[bytes, bytes]] = [(b"X-API-Key", KEY.encode()), (b"Idempotency-Key", key.encode("latin-1"))]

    answer = await door.client.post("/api/v1/alerts", content=RAW, headers=raw)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]


async def test_without_a_reply_the_alert_is_spooled_and_202(door: Door) -> None:
    door.bus.script = is_silent

    answer = await door.post()

    assert answer.status_code == 202
    (row,) = await door.spooled()
    (alert,) = door.bus.alerts
    assert answer.json() == {"status": "accepted", "alert_id": str(alert.alert_id)}
    assert Alert.model_validate_json(json.dumps(row["body"])) == alert
    assert (row["alert_id"], row["spooled_at"]) == (alert.alert_id, door.clock.at)


async def test_with_the_bus_away_the_alert_is_spooled_and_202(door: Door) -> None:
    door.bus.script = is_away

    answer = await door.post(title="NUL-free, 'quoted', \\ and 🔥")

    assert answer.status_code == 202
    (row,) = await door.spooled()
    assert str(row["alert_id"]) == answer.json()["alert_id"]
    assert row["body"]["title"] == "NUL-free, 'quoted', \\ and 🔥"


async def test_a_repeat_of_a_spooled_alert_is_spooled_once(door: Door) -> None:
    door.bus.script = is_away
    headers = {"Idempotency-Key": "a"}

    answers = await asyncio.gather(*(door.post(headers=headers) for _ in range(20)))

    assert {(answer.status_code, answer.json()["alert_id"]) for answer in answers} == {
        (202, str((await door.spooled())[0]["alert_id"]))
    }
    assert len(await door.spooled()) == 1


async def test_with_the_database_away_a_known_key_is_served_by_the_bus(door: Door) -> None:
    await door.post()
    await door.cable.cut()
    door.clock.advance(minutes=10)

    assert (await door.post()).status_code == 201
    door.bus.script = is_silent
    assert (await door.post()).status_code == 202


async def test_with_the_database_away_an_unknown_key_is_503(door: Door) -> None:
    await door.cable.cut()

    answer = await door.post()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_with_both_away_the_sender_is_told_to_come_again(door: Door) -> None:
    await door.post()
    await door.cable.cut()
    door.bus.script = is_away

    async with asyncio.timeout(4):
        answer = await door.post()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_with_a_silent_database_and_no_bus_the_answer_still_comes(door: Door) -> None:
    await door.post()
    door.cable.freeze()
    door.clock.advance(minutes=10)
    door.bus.script = is_away

    async with asyncio.timeout(4):
        known, unknown = await asyncio.gather(door.post(), door.post("pp_unknown"))

    assert (known.status_code, unknown.status_code) == (503, 503)


async def test_a_rotated_key_stops_and_the_new_one_works_at_once(door: Door) -> None:
    await door.post()
    await door.execute("DELETE FROM directory.alert_sources")
    await door.add_source(7, "pp_rotated")

    assert (await door.post("pp_rotated")).status_code == 201
    door.clock.advance(seconds=5)
    assert (await door.post()).status_code == 403


async def test_concurrent_alerts_travel_together_and_every_sender_hears_of_its_own(door: Door) -> None:
    await door.post()
    door.bus.groups.clear()
    gate = asyncio.Event()
    door.bus.script = behind(gate, opens())

    sending = [asyncio.create_task(door.post(title=f"alert {number}")) for number in range(500)]
    await ticks(100)
    gate.set()
    answers = await asyncio.gather(*sending)

    assert [answer.status_code for answer in answers] == [201] * 500
    assert [answer.json()["title"] for answer in answers] == [f"alert {number}" for number in range(500)]
    assert len(door.bus.alerts) == 500
    assert len(door.bus.groups) <= 12
    assert max(len(group.alerts) for group in door.bus.groups) <= GROUP_LIMIT


async def test_a_bad_body_does_not_touch_its_neighbours(door: Door) -> None:
    raw = [RAW, b'{"title":"\\u0000","severity":"info"}', RAW, b"[" * 100_000, RAW]

    answers = await asyncio.gather(*map(door.post_raw, raw))

    assert [answer.status_code for answer in answers] == [201, 422, 201, 422, 201]


async def test_a_sender_that_hangs_up_in_the_middle_loses_nobody_s_alert(door: Door) -> None:
    await door.post()
    gate = asyncio.Event()
    door.bus.script = behind(gate, opens())
    sending = [asyncio.create_task(door.post(title=title)) for title in ("gone", "stays")]
    await ticks(100)

    sending[0].cancel()
    await ticks()
    gate.set()

    assert (await sending[1]).status_code == 201
    assert {"gone", "stays"} <= {alert.title for alert in door.bus.alerts}


async def test_a_sender_that_hangs_up_within_its_body_is_no_bug(door: Door) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield RAW[:10]

    answer = await door.client.post("/api/v1/alerts", content=half(), headers={"X-API-Key": KEY})

    assert answer.status_code == 422


async def test_a_body_that_never_ends_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.01)

    async def endless() -> AsyncIterator[bytes]:
        yield RAW[:10]
        await asyncio.Event().wait()

    answer = await door.client.post("/api/v1/alerts", content=endless(), headers={"X-API-Key": KEY})

    assert answer.status_code == 503


async def test_only_posting_is_allowed(door: Door) -> None:
    assert (await door.client.get("/api/v1/alerts", headers={"X-API-Key": KEY})).status_code == 405


async def test_no_key_and_no_body_reaches_the_log(door: Door) -> None:
    with capture_logs() as logs:
        await door.post("pp_wrong_key")
        await door.post(severity="s3cret")
        door.bus.script = is_away
        await door.post(title="s3cret", description="s3cret", external_id="s3cret")
        await door.cable.cut()
        await door.post(title="s3cret")
        await door.client.post("/api/v1/alerts?api_key=pp_other_key", content=RAW)

    assert logs
    for word in ("pp_", "s3cret"):
        assert word not in repr(logs)


async def test_every_alert_has_an_id_of_its_own(door: Door) -> None:
    await asyncio.gather(*(door.post() for _ in range(50)))

    ids: list[UUID] = [alert.alert_id for alert in door.bus.alerts]
    assert len(set(ids)) == 50


@pytest.mark.parametrize("value", ["0", "-1", "11", "soon"])
def test_a_nonsensical_reply_time_stops_the_start(value: str) -> None:
    given: dict[str, Any] = {"PAGERPAL_REPLY_SECONDS": value}

    with pytest.raises(ValueError, match="PAGERPAL_REPLY_SECONDS"):
        IngestSettings.model_validate(given)


def test_ingest_does_not_start_without_a_database(bus: ScriptedBus, clock: TestClock) -> None:
    assert IngestSettings.model_validate({}).port == 8001
    with pytest.raises(ConfigError):
        build(IngestSettings.model_validate({}), bus, clock)


async def test_receipts_have_a_route_beside_the_alerts(door: Door) -> None:
    receipt = {"messageId": "0191e180-7d60-7000-aded-7d8b151cbd5b", "status": {"groupName": "DELIVERED"}}

    answer = await door.client.post("/api/v1/notifications/infobip/receipts", json={"results": [receipt]})

    assert answer.status_code == 200
    assert [len(message.receipts) for message in door.bus.published] == [1]
