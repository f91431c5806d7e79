"""What do Grafana and Alertmanager hear, and is each of their alerts kept?"""

import asyncio
import hmac
import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert, AlertResult, AlertsHandled, AlertsReceived
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from structlog.testing import capture_logs

from services.ingest.tests.conftest import START, an_incident, is_away, is_silent, opens
from services.ingest.tests.integration.conftest import KEY, Door

CORPUS = Path(__file__).parents[1] / "corpus"
GRAFANA = "/api/v1/webhooks/grafana"
ALERTMANAGER = "/api/v1/webhooks/alertmanager"
REFERENCE = {
    "title": "RDS connection pool exhausted",
    "message": "Database connection pool is saturated",
    "state": "alerting",
    "ruleId": "rds-connection-pool",
    "labels": {"team_id": "1"},
}
OUTCOMES = {"a": AlertOutcome.UPDATED, "b": AlertOutcome.OPENED, "c": AlertOutcome.IGNORED, "p": AlertOutcome.PARKED}


def a_group(*names: str) -> dict[str, Any]:
    """A firing alert of each name; its fingerprint is the name."""
    return {"status": "firing", "alerts": [{"labels": {"alertname": name}, "fingerprint": name} for name in names]}


async def as_named(message: AlertsReceived, _wait: float) -> AlertsHandled:
    """What becomes of an alert is in its name; `s` gets no answer."""
    results = []
    for alert in message.alerts:
        if alert.title in OUTCOMES:
            outcome = OUTCOMES[alert.title]
            incident = an_incident(alert) if outcome in {AlertOutcome.UPDATED, AlertOutcome.OPENED} else None
            results.append(AlertResult(alert_id=alert.alert_id, outcome=outcome, incident=incident))
    return AlertsHandled(occurred_at=START, results=tuple(results))


@pytest.mark.parametrize("path", [GRAFANA, ALERTMANAGER])
@pytest.mark.parametrize("body", ["grafana/docs_two_firing.json", "alertmanager/oncall_example.json"])
async def test_a_group_is_answered_with_its_first_incident_and_an_entry_for_each_alert(
    door: Door, path: str, body: str
) -> None:
    answer = await door.send(path, (CORPUS / body).read_bytes())

    first, second = door.bus.alerts
    assert answer.status_code == 201
    said = answer.json()
    entries = said.pop("incidents")
    assert said == json.loads(an_incident(first).model_dump_json())
    assert [entry["alert_id"] for entry in entries] == [str(first.alert_id), str(second.alert_id)]
    assert entries[1] == {
        "id": 42,
        "external_id": second.external_id,
        "alert_id": str(second.alert_id),
        "outcome": "opened",
        "status": "triggered",
        "title": second.title,
        "severity": "critical",
        "detail": None,
    }


async def test_grafana_may_put_instead_of_post(door: Door) -> None:
    assert (await door.send(GRAFANA, a_group("b"), method="PUT")).status_code == 201
    assert (await door.send(ALERTMANAGER, a_group("b"), method="PUT")).status_code == 405
    assert (await door.send(GRAFANA, b"", method="GET")).status_code == 405


async def test_the_legacy_payload_is_answered_as_in_the_reference(door: Door) -> None:
    answer = await door.send(GRAFANA, REFERENCE)

    (alert,) = door.bus.alerts
    assert answer.status_code == 201
    assert answer.json() == json.loads(an_incident(alert).model_dump_json())
    assert (answer.json()["id"], answer.json()["external_id"]) == (42, "rds-connection-pool")

    door.bus.script = opens(AlertOutcome.RESOLVED)
    answer = await door.send(GRAFANA, {**REFERENCE, "state": "ok"})
    assert (answer.status_code, answer.json()["external_id"]) == (200, "rds-connection-pool")
    assert door.bus.alerts[-1].status is AlertStatus.RESOLVED


async def test_a_paused_rule_is_told_on_and_opens_nothing_here(door: Door) -> None:
    door.bus.script = opens(AlertOutcome.IGNORED, with_incident=False)

    answer = await door.send(GRAFANA, {**REFERENCE, "state": "paused"})

    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert door.bus.alerts[0].status is AlertStatus.UNKNOWN


async def test_every_alert_of_a_group_has_its_own_outcome(door: Door) -> None:
    door.bus.script = as_named
    body = a_group("c", "a", "b", "p", "s")
    body["alerts"].insert(1, None)

    answer = await door.send(GRAFANA, body)

    said = answer.json()
    assert answer.status_code == 201
    assert (said["id"], said["title"]) == (42, "a")
    assert [(entry["external_id"], entry["outcome"], entry["id"]) for entry in said["incidents"]] == [
        ("c", "ignored", None),
        (None, "refused", None),
        ("a", "updated", 42),
        ("b", "opened", 42),
        ("p", "parked", None),
        ("s", "accepted", None),
    ]
    assert said["incidents"][1]["detail"] == "this is no alert: it must be an object"
    assert [row["body"]["title"] for row in await door.spooled()] == ["s"]


async def test_without_a_new_incident_the_answer_is_200(door: Door) -> None:
    door.bus.script = as_named

    assert (await door.send(GRAFANA, a_group("a", "c"))).status_code == 200
    answer = await door.send(GRAFANA, a_group("c"))
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")


async def test_a_group_that_could_not_be_handled_at_all_is_our_own_trouble(door: Door) -> None:
    door.bus.script = as_named

    answer = await door.send(GRAFANA, a_group("p"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_without_a_reply_all_are_spooled_and_202_names_them(door: Door) -> None:
    door.bus.script = is_silent

    answer = await door.send(ALERTMANAGER, a_group("a", "b"))

    rows = await door.spooled()
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    assert {entry["alert_id"] for entry in answer.json()["incidents"]} == {str(row["alert_id"]) for row in rows}
    assert {row["body"]["external_id"] for row in rows} == {"a", "b"}


async def test_with_both_away_the_sender_is_told_to_send_all_of_it_again(door: Door) -> None:
    await door.send(GRAFANA, a_group("a"))
    await door.cable.cut()
    door.bus.script = is_away

    async with asyncio.timeout(4):
        answer = await door.send(GRAFANA, a_group(*(f"{number}" for number in range(300))))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_a_repeated_delivery_says_the_same_of_the_same_episodes(door: Door) -> None:
    """It is told from a new event by its names and times, not by its id: a genuine repeat must count."""
    body = (CORPUS / "grafana/docs_two_firing.json").read_bytes()

    await door.send(GRAFANA, body)
    await door.send(GRAFANA, body)

    first, _, again, _ = door.bus.alerts
    assert first.alert_id != again.alert_id
    assert _episode(first) == _episode(again)


def _episode(alert: Alert) -> tuple[object, ...]:
    return alert.external_id, alert.status, alert.starts_at, alert.event_at


async def test_thousands_of_alerts_in_one_body_are_all_taken(door: Door) -> None:
    answer = await door.send(GRAFANA, a_group(*(f"alert {number}" for number in range(6_000))))

    said = answer.json()
    assert answer.status_code == 201
    assert [entry["external_id"] for entry in said["incidents"]] == [f"alert {number}" for number in range(6_000)]
    assert {entry["outcome"] for entry in said["incidents"]} == {"opened"}
    assert sorted(alert.title for alert in door.bus.alerts) == sorted(f"alert {number}" for number in range(6_000))
    assert len(door.bus.groups) == 30


async def test_thousands_of_alerts_are_kept_while_incidents_is_away(door: Door) -> None:
    door.bus.script = is_silent

    answer = await door.send(GRAFANA, a_group(*(f"alert {number}" for number in range(6_000))))

    assert answer.status_code == 202
    assert len(await door.spooled()) == 6_000


async def test_a_body_of_five_megabytes_is_taken_and_a_larger_one_is_not(door: Door) -> None:
    body = json.dumps(a_group("a")).encode()

    def padded(size: int) -> bytes:
        return body[:-1] + b" " * (size - len(body)) + b"}"

    assert (await door.send(GRAFANA, padded(5 * 1024 * 1024))).status_code == 201
    assert (await door.send(GRAFANA, padded(5 * 1024 * 1024 + 1))).status_code == 413
    assert (await door.send(GRAFANA, body, **{"Content-Encoding": "gzip"})).status_code == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"alerts":[]}', b'{"alerts":[{},null]}', b"5"])
async def test_a_body_without_any_alert_is_422(door: Door, body: bytes) -> None:
    answer = await door.send(GRAFANA, body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body"]
    assert door.bus.groups == []


@pytest.mark.parametrize("path", [GRAFANA, ALERTMANAGER])
async def test_the_key_is_looked_at_before_the_body(door: Door, path: str) -> None:
    async def status(**headers: str) -> int:
        return (await door.client.post(path, content=b"{", headers=headers)).status_code

    def basic(password: str) -> str:
        return "Basic " + b64encode(f"grafana:{password}".encode()).decode()

    missing = await door.client.post(path, content=b"{")
    assert (missing.status_code, missing.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    assert await status(Authorization="Bearer pp_unknown") == 403
    assert await status(Authorization=basic(KEY)) == 422
    assert await status(Authorization=f"Bearer {KEY}") == 422
    assert await status(**{"X-Alert-Source-Key": KEY}) == 422
    assert await status(**{"X-API-Key": KEY, "Authorization": basic("pp_other")}) == 400
    assert (await door.client.post(f"{path}?token={KEY}", content=b"{")).status_code == 422


async def test_a_source_with_a_secret_takes_only_what_is_signed(door: Door) -> None:
    await door.configure(hmac_secret="s3cret", hmac_timestamp_header="X-Time")
    body = json.dumps(a_group("b")).encode()
    now = str(int(door.clock.at.timestamp()))

    def signed(stamp: str, secret: str = "s3cret") -> dict[str, str]:
        right = hmac.new(secret.encode(), f"{stamp}:".encode() + body, sha256).hexdigest()
        return {"X-Grafana-Alerting-Signature": right, "X-Time": stamp}

    assert (await door.send(GRAFANA, body, **signed(now))).status_code == 201
    assert (await door.send(GRAFANA, body, **signed(now, "other"))).status_code == 403
    assert (await door.send(GRAFANA, body, **signed("1500000000"))).status_code == 403
    for path in (GRAFANA, ALERTMANAGER, "/api/v1/alerts"):
        answer = await door.send(path, body)
        assert answer.status_code == 403
        assert "s3cret" not in answer.text
    assert len(door.bus.alerts) == 1


async def test_an_alert_for_a_foreign_team_is_kept(door: Door) -> None:
    answer = await door.send(GRAFANA, {**REFERENCE, "labels": {"team_id": "3"}})

    (alert,) = door.bus.alerts
    assert answer.status_code == 201
    assert (alert.team_id, alert.escalation_policy_id) == (1, 5)
    assert alert.note is not None


async def test_grafana_s_test_button_is_known(door: Door) -> None:
    labels = {"alertname": "TestAlert", "instance": "Grafana"}

    await door.send(GRAFANA, {"alerts": [{"status": "firing", "labels": labels}]})

    assert [alert.is_test for alert in door.bus.alerts] == [True]


async def test_legacy_grafana_s_test_button_is_known(door: Door) -> None:
    message = "Someone is testing the alert notification within Grafana."
    await door.send(GRAFANA, {"ruleId": 0, "ruleName": "Test notification", "message": message, "state": "alerting"})

    assert [alert.is_test for alert in door.bus.alerts] == [True]


@pytest.mark.parametrize("path", [GRAFANA, ALERTMANAGER])
@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("iso-8859-1", "latin-1"),
        ("ISO-8859-1", "utf-8"),
        ("latin-1", "latin-1"),
        ('"windows-1252"', "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-be"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-8"),
        ("us-ascii", "utf-8"),
        ("utf-8", "utf-8"),
        ("klingon", "utf-8"),
    ],
)
async def test_a_body_is_read_in_the_charset_it_is_in(door: Door, path: str, charset: str, encoding: str) -> None:
    body = json.dumps({"title": "Störung", "state": "alerting", "ruleId": "ü"}, ensure_ascii=False).encode(encoding)

    answer = await door.send(path, body, **{"Content-Type": f"application/json; Charset={charset}"})

    (alert,) = door.bus.alerts
    assert (answer.status_code, alert.title, alert.external_id) == (201, "Störung", "ü")
    assert alert.raw is not None
    assert json.loads(alert.raw.text or "")["title"] == "Störung"


@pytest.mark.parametrize("charset", ["us-ascii", "utf-8", "rot13", "unicode_escape", "", "utf-16"])
async def test_what_is_in_no_charset_that_is_known_costs_letters_and_no_alert(door: Door, charset: str) -> None:
    body = '{"title": "Störung", "state": "alerting"}'.encode("latin-1")

    answer = await door.send(GRAFANA, body, **{"Content-Type": f"application/json; charset={charset}"})

    assert (answer.status_code, door.bus.alerts[0].title) == (201, "St\ufffdrung")


async def test_what_is_signed_is_the_body_as_it_was_sent(door: Door) -> None:
    await door.configure(hmac_secret="s3cret")
    body = '{"title": "Störung\nseit heute", "state": "alerting", "ruleId": 991}'.encode("latin-1")
    headers = {
        "X-Grafana-Alerting-Signature": hmac.new(b"s3cret", body, sha256).hexdigest(),
        "Content-Type": "application/json; charset=iso-8859-1",
    }

    answer = await door.send(GRAFANA, body, **headers)

    (alert,) = door.bus.alerts
    assert (answer.status_code, alert.title, alert.external_id) == (201, "Störung seit heute", "991")
    assert alert.raw is not None
    assert alert.raw.text == body.decode("latin-1")
    assert (await door.send(GRAFANA, body.replace(b"\n", b"\\n"), **headers)).status_code == 403


async def test_each_of_a_group_with_line_ends_in_its_texts_keeps_its_raw_form(door: Door) -> None:
    body = b'{"status": "firing", "alerts": [{"name": "a\nb"}, {"name": "c\rd"}]}'

    assert (await door.send(GRAFANA, body)).status_code == 201

    texts = [alert.raw.text for alert in door.bus.alerts if alert.raw is not None]
    assert texts == [
        '{"status": "firing", "alerts": [{"name": "a\nb"}]}',
        '{"status": "firing", "alerts": [{"name": "c\rd"}]}',
    ]


async def test_no_key_and_no_body_reaches_the_log(door: Door) -> None:
    with capture_logs() as logs:
        await door.send(GRAFANA, {"alerts": [{"labels": {"s3cret": "s3cret"}}, "s3cret"]})
        await door.send(GRAFANA, b"s3cret")
        await door.client.post(f"{GRAFANA}?api_key=pp_other_key", content=b"s3cret")
        door.bus.script = is_away
        await door.send(GRAFANA, a_group("s3cret"))

    assert logs
    for word in ("pp_", "s3cret"):
        assert word not in repr(logs)
