"""Incidents over HTTP: reading them, and handing what people want to their owner."""

import json
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentChanged,
    IncidentCommand,
    NoteOnIncident,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.contracts.notifications import NotificationsRetried, RetryNotifications
from pagerpal_common.errors import BusUnavailable, Conflict, Invalid, NoReply, NotFound, PagerPalError
from pagerpal_common.testing.rows import Rows

from .conftest import ACCOUNTS, PASSWORD, T0, Broker, Web, an_incident

INCIDENTS = "/api/v1/incidents"


async def insert_incident(rows: Rows, **changes: Any) -> int:
    """An incident as its owner would write it; its id."""
    view = an_incident(**changes).model_dump(exclude={"id"})
    row = {**view, "links": json.dumps(view["links"]), "labels": json.dumps(view["labels"])}
    row |= {"escalation_reminder": 0, "level_entered_at": T0}
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    (inserted,) = await rows(f"INSERT INTO incidents.incidents ({columns}) VALUES ({values}) RETURNING id", **row)
    return int(inserted["id"])


async def test_the_list_is_newest_first_in_pages_and_filtered(web: Web, rows: Rows) -> None:
    for number in range(5):
        await insert_incident(rows, external_id=f"x{number}", team_id=1 + number % 2, source_id=10 + number)
    closed = await insert_incident(rows, status="resolved", severity="info", links=[{"href": "http://x", "text": "x"}])

    first = (await web("GET", f"{INCIDENTS}?page_size=4", who="viewer")).json()
    last = (await web("GET", f"{INCIDENTS}?page_size=4&page=2")).json()

    assert [item["id"] for item in first["items"]] == [6, 5, 4, 3]
    assert [item["id"] for item in last["items"]] == [2, 1]
    assert {name: first[name] for name in first if name != "items"} == {
        "total": 6,
        "page": 1,
        "page_size": 4,
        "total_pages": 2,
    }
    for query, ids in (
        ("status=resolved", [closed]),
        ("severity=critical&team_id=2", [4, 2]),
        ("source_id=12", [3]),
        ("source_id=12&status=acknowledged", []),
        ("page=1000000000&page_size=200", []),
    ):
        assert [item["id"] for item in (await web("GET", f"{INCIDENTS}?{query}")).json()["items"]] == ids, query
    assert (await web("GET", f"{INCIDENTS}?page_size=1{'0' * 30}")).json()["page_size"] == 200


async def test_an_empty_list_has_no_pages(web: Web) -> None:
    empty = {"items": [], "total": 0, "page": 1, "page_size": 50, "total_pages": 0}
    assert (await web("GET", INCIDENTS)).json() == empty


async def test_an_incident_has_the_fields_of_the_reference(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows, acknowledged_by=1, acknowledged_at=T0, labels={"a": "b"})
    shown = (await web("GET", f"{INCIDENTS}/{number}")).json()
    expected = an_incident(id=number, acknowledged_by=1, acknowledged_at=T0, labels={"a": "b"})
    assert shown == json.loads(expected.model_dump_json())
    assert (shown["created_at"], shown["acknowledged_at"]) == ("2026-05-21T12:00:00Z",) * 2


async def test_the_timeline_is_oldest_first(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows)
    for kind in ("opened", "acknowledged"):
        await rows(
            "INSERT INTO incidents.events (incident_id, event_type, message, actor_user_id, created_at, data) "
            "VALUES (:number, :kind, 'm', 1, :at, '{\"level\": 1}')",
            number=number,
            kind=kind,
            at=T0,
        )
    events = (await web("GET", f"{INCIDENTS}/{number}/events", who="viewer")).json()
    assert [event["event_type"] for event in events] == ["opened", "acknowledged"]
    assert events[0] == {
        "id": 1,
        "event_type": "opened",
        "message": "m",
        "actor_user_id": 1,
        "acting_as_user_id": None,
        "created_at": "2026-05-21T12:00:00Z",
        "data": {"level": 1},
    }
    assert (await web("GET", f"{INCIDENTS}/{number}/events?after=1")).json() == events[1:]


async def test_notification_logs_hide_most_of_the_address(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows)
    for channel, address in (("sms", "+491701234567"), ("email", "ana@example.org"), ("voice", None)):
        await rows(
            "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel,"
            " step, pass_number, level, reason, status, address, attempts, provider_message_id, created_at)"
            " VALUES (1, :number, 1, 2, :channel, 0, 1, 2, '[\"level 2\"]', 'sent', :address, 1, :id, :at)",
            number=number,
            channel=channel,
            address=address,
            id=UUID(int=1),
            at=T0,
        )
    logs = (await web("GET", f"{INCIDENTS}/{number}/notification-logs", who="viewer")).json()
    assert [entry["address"] for entry in logs] == ["+49…4567", "a…@example.org", None]
    assert logs[0] == {
        "id": 1,
        "user_id": 2,
        "user_name": "responder",
        "channel": "sms",
        "address": "+49…4567",
        "status": "sent",
        "level": 2,
        "pass": 1,
        "provider_message_id": "00000000-0000-0000-0000-000000000001",
        "attempts": 1,
        "error": None,
        "reason": ["level 2"],
        "created_at": "2026-05-21T12:00:00Z",
        "sent_at": None,
        "delivered_at": None,
    }


async def test_a_notification_log_says_how_many_others_its_message_told_of(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows)
    for others in (0, 1, 30):
        await rows(
            "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel,"
            " step, pass_number, level, reason, status, attempts, merged_with, created_at)"
            " VALUES (1, :number, 1, 2, 'sms', :others, 1, 2, '[\"level 2\"]', 'sent', 1, :others, :at)",
            number=number,
            others=others,
            at=T0,
        )

    logs = (await web("GET", f"{INCIDENTS}/{number}/notification-logs", who="viewer")).json()

    assert [log["reason"] for log in logs] == [
        ["level 2"],
        ["level 2", "merged with 1 other into one message"],
        ["level 2", "merged with 30 others into one message"],
    ]


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("ack", AcknowledgeIncident),
        ("resolve", ResolveIncident),
        ("reopen", ReopenIncident),
        ("escalate", RequestEscalation),
    ],
)
async def test_an_action_asks_the_owner_in_the_name_of_both_people(
    action: str, command: type[IncidentCommand], web: Web, rows: Rows, broker: Broker
) -> None:
    number = await insert_incident(rows)
    broker.answer = IncidentChanged(occurred_at=T0, incident=an_incident(id=number, title="as its owner says"))

    body = {"user_id": ACCOUNTS["viewer"]}
    response = await web("POST", f"{INCIDENTS}/{number}/{action}", body, who="responder")

    assert (response.status_code, response.json()["title"]) == (200, "as its owner says")
    ((message, wait),) = broker.asked
    assert isinstance(message, command)
    assert (message.incident_id, message.actor_user_id, message.acting_as_user_id) == (number, 2, 3)
    assert (message.occurred_at, wait) == (T0, 3.0)


async def test_a_note_goes_to_the_owner_without_the_blanks_around_it(web: Web, rows: Rows, broker: Broker) -> None:
    number = await insert_incident(rows)

    body = {"user_id": ACCOUNTS["viewer"], "text": "  Disk is full.\nDeleting dumps. "}
    response = await web("POST", f"{INCIDENTS}/{number}/notes", body, who="responder")

    assert response.status_code == 200
    ((message, _),) = broker.asked
    assert isinstance(message, NoteOnIncident)
    assert (message.actor_user_id, message.acting_as_user_id) == (ACCOUNTS["responder"], ACCOUNTS["viewer"])
    assert message.text == "Disk is full.\nDeleting dumps."


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "a\x00b", None, 5])
async def test_a_note_that_says_nothing_or_too_much_is_refused(text: Any, web: Web, rows: Rows, broker: Broker) -> None:
    number = await insert_incident(rows)
    response = await web("POST", f"{INCIDENTS}/{number}/notes", {"user_id": 1, "text": text})
    assert (response.status_code, broker.asked) == (422, [])


async def test_escalate_hands_on_the_level_that_the_person_saw(web: Web, rows: Rows, broker: Broker) -> None:
    number = await insert_incident(rows)
    await web("POST", f"{INCIDENTS}/{number}/escalate", {"user_id": 1, "expected_level": 2})
    ((message, _),) = broker.asked
    assert isinstance(message, RequestEscalation)
    assert message.expected_level == 2
    refused = await web("POST", f"{INCIDENTS}/{number}/ack", {"user_id": 1, "expected_level": 2})
    assert refused.status_code == 422


@pytest.mark.parametrize(("user_id", "detail"), [(4, "user 4 is not active"), (999, "there is no user 999")])
async def test_nobody_acts_as_somebody_who_is_not_there(
    user_id: int, detail: str, web: Web, rows: Rows, broker: Broker
) -> None:
    number = await insert_incident(rows)
    response = await web("POST", f"{INCIDENTS}/{number}/ack", {"user_id": user_id})
    assert (response.status_code, response.json()) == (400, {"detail": detail})
    assert broker.asked == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Invalid("not from resolved"), 400),
        (NotFound("gone"), 404),
        (Conflict("incident 43 is open"), 409),
        (NoReply("no answer"), 503),
        (BusUnavailable("no broker"), 503),
    ],
)
async def test_what_the_owner_refuses_is_told(
    answer: PagerPalError, status: int, web: Web, rows: Rows, broker: Broker
) -> None:
    broker.answer = answer
    number = await insert_incident(rows)
    response = await web("POST", f"{INCIDENTS}/{number}/ack", {"user_id": 1})
    assert response.status_code == status
    assert ("retry-after" in response.headers) == (status == 503)


async def test_what_has_an_open_incident_cannot_be_deleted(web: Web, rows: Rows) -> None:
    team = await web.a_team()
    source = await web.made("alert-sources", team_id=team["id"], name="Prod", source_type="generic")
    number = await insert_incident(rows, team_id=team["id"], source_id=source["id"])
    for path in (f"/api/v1/alert-sources/{source['id']}", f"/api/v1/teams/{team['id']}"):
        response = await web("DELETE", path)
        assert response.status_code == 409
        assert f"incident {number}" in response.json()["detail"]

    await rows("UPDATE incidents.incidents SET status = 'resolved'")
    for path in (f"/api/v1/alert-sources/{source['id']}", f"/api/v1/teams/{team['id']}"):
        assert (await web("DELETE", path)).status_code == 204


@pytest.mark.parametrize(
    ("content", "acting_as"),
    [
        (b"", "responder"),
        (b" \n", "responder"),
        (b"{}", "responder"),
        (b'{"user_id": null}', "responder"),
        (b'{"user_id": 3}', "viewer"),
    ],
)
async def test_a_retry_asks_the_notifier_with_or_without_a_body(
    content: bytes, acting_as: str, web: Web, rows: Rows, broker: Broker
) -> None:
    number = await insert_incident(rows)
    broker.answer = NotificationsRetried(occurred_at=T0, retried_count=3, queued_count=2)

    response = await web.client.post(
        f"{INCIDENTS}/{number}/notification-logs/retry", content=content, auth=("responder@example.org", PASSWORD)
    )

    assert (response.status_code, response.json()) == (200, {"retried_count": 3, "queued_count": 2})
    ((message, wait),) = broker.asked
    assert isinstance(message, RetryNotifications)
    assert (message.incident_id, message.actor_user_id) == (number, ACCOUNTS["responder"])
    assert (message.acting_as_user_id, wait) == (ACCOUNTS[acting_as], 3.0)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"x", 422),
        (b"[]", 422),
        (b'{"user_id": "1"}', 422),
        (b'{"user_id": 1, "all": true}', 422),
        (b'{"user_id": 4}', 400),
        (b'{"user_id": 999}', 400),
        (b" " * 70000, 413),
    ],
)
async def test_a_retry_with_a_wrong_body_asks_nobody(
    content: bytes, status: int, web: Web, rows: Rows, broker: Broker
) -> None:
    number = await insert_incident(rows)
    response = await web.client.post(
        f"{INCIDENTS}/{number}/notification-logs/retry", content=content, auth=("admin@example.org", PASSWORD)
    )
    assert response.status_code == status
    assert broker.asked == []


async def test_a_retry_while_the_broker_is_away_is_503(web: Web, rows: Rows, broker: Broker) -> None:
    broker.answer = BusUnavailable("no broker")
    response = await web("POST", f"{INCIDENTS}/{await insert_incident(rows)}/notification-logs/retry")
    assert (response.status_code, "retry-after" in response.headers) == (503, True)


async def test_an_action_without_its_body_is_422(web: Web, rows: Rows, broker: Broker) -> None:
    number = await insert_incident(rows)
    for action in ("ack", "resolve", "reopen", "escalate"):
        for body in (None, {}, {"user_id": None}, {"user_id": "1"}, {"user_id": True}):
            assert (await web("POST", f"{INCIDENTS}/{number}/{action}", body)).status_code == 422, (action, body)
    assert broker.asked == []


async def test_a_cookie_acts_as_its_account_which_no_user_id_hides(web: Web, rows: Rows, broker: Broker) -> None:
    number = await insert_incident(rows)
    session = await web.session("responder")

    path, body = f"{INCIDENTS}/{number}/ack", {"user_id": ACCOUNTS["viewer"]}
    response = await web.by_session(session, "POST", path, body)

    assert response.status_code == 200
    message: Any = broker.asked[0][0]
    assert (message.actor_user_id, message.acting_as_user_id) == (ACCOUNTS["responder"], ACCOUNTS["viewer"])
