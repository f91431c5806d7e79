"""A test alert goes the way of a real one, and says what it is."""

from typing import Any

import pytest
from pagerpal_common.bus import wire
from pagerpal_common.contracts.alerts import Alert, AlertResult, AlertsHandled, AlertsReceived
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import BusUnavailable, NoReply, PagerPalError
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, Severity

from .conftest import T0, Broker, Web, an_incident


def handled(incident: IncidentView | None, outcome: AlertOutcome = AlertOutcome.OPENED) -> AlertsHandled:
    result = AlertResult(alert_id="019e4a00-0000-7000-8000-000000000001", outcome=outcome, incident=incident)  # type: ignore[arg-type]
    return AlertsHandled(occurred_at=T0, results=(result,))


@pytest.fixture
async def source(web: Web) -> Any:
    """With an escalation policy of its own."""
    team = await web.a_team()
    policy = await web.made("escalation-policies", team_id=team["id"], name="Quick")
    return await web.made(
        "alert-sources",
        team_id=team["id"],
        name="Production Grafana",
        source_type="grafana",
        escalation_policy_id=policy["id"],
    )


async def send(web: Web, source: Any, who: str = "responder") -> Any:
    return await web("POST", f"/api/v1/alert-sources/{source['id']}/test-alert", who=who)


def the_alert(broker: Broker) -> Alert:
    ((message, wait),) = broker.asked
    assert wait == 3.0
    assert isinstance(message, AlertsReceived)
    (alert,) = wire.decode(AlertsReceived, wire.encode(message)).alerts
    return alert


async def test_it_is_a_critical_alert_of_that_source_and_is_answered_with_its_incident(
    web: Web, source: Any, broker: Broker
) -> None:
    broker.answer = handled(an_incident(title="as its owner says"))

    response = await send(web, source)

    assert (response.status_code, response.json()["id"], response.json()["title"]) == (201, 42, "as its owner says")
    alert = the_alert(broker)
    assert (alert.source_id, alert.team_id) == (source["id"], source["team_id"])
    assert alert.escalation_policy_id == source["escalation_policy_id"]
    assert (alert.severity, alert.status) == (Severity.CRITICAL, AlertStatus.FIRING)
    assert alert.title == "Test alert from Production Grafana, sent by responder"
    assert (alert.external_id, alert.is_test, alert.received_at) == (None, False, T0)


async def test_a_title_of_long_names_is_cut(web: Web, source: Any, broker: Broker) -> None:
    await web("PATCH", f"/api/v1/alert-sources/{source['id']}", {"name": "x" * 255})
    broker.answer = handled(an_incident())

    await send(web, source)

    alert = the_alert(broker)
    assert (len(alert.title), alert.title[-1]) == (255, "…")
    assert "responder sent it" in alert.description


async def test_an_inactive_source_is_a_conflict(web: Web, source: Any, broker: Broker) -> None:
    await web("PATCH", f"/api/v1/alert-sources/{source['id']}", {"is_active": False})

    response = await send(web, source)

    assert response.status_code == 409
    assert "not active" in response.json()["detail"]
    assert broker.asked == []


@pytest.mark.parametrize("answer", [BusUnavailable("no broker"), NoReply("late"), handled(None, AlertOutcome.PARKED)])
async def test_without_an_incident_it_is_503(
    answer: AlertsHandled | PagerPalError, web: Web, source: Any, broker: Broker
) -> None:
    broker.answer = answer

    response = await send(web, source)

    assert (response.status_code, "retry-after" in response.headers) == (503, True)


async def test_an_unknown_source_is_404_and_a_viewer_sends_none(web: Web, source: Any, broker: Broker) -> None:
    assert (await send(web, {"id": 999})).status_code == 404
    assert (await send(web, source, who="viewer")).status_code == 403
    assert broker.asked == []
