"""What does a sender hear about what it sent? The incident; and for a group, an entry for each of its alerts."""

from collections.abc import Iterator, Sequence
from typing import Any

from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import Unavailable
from pagerpal_common.http import json_response
from pagerpal_common.vocabulary import AlertOutcome, Severity
from pydantic import BaseModel
from starlette.responses import Response

from pagerpal_ingest.domain.reading import Reading, Unreadable

ACCEPTED = "accepted"
"""Kept, but not handled yet."""

REFUSED = "refused"
"""It cannot be understood; the other alerts of its group are not touched."""


class TakenAlert(BaseModel):
    """What became of one alert of a group."""

    id: int | None
    """Its incident; None when there is none, or not yet."""
    external_id: str | None
    alert_id: str | None
    outcome: str
    """A word of `AlertOutcome`, `accepted` or `refused`."""
    status: str
    """Of its incident; the outcome when there is none."""
    title: str | None = None
    severity: Severity | None = None
    detail: str | None = None
    """Why it was refused."""


class GroupAnswer(BaseModel):
    """The first incident that the group speaks of, its fields as everywhere; and an entry for each alert, in order."""

    incidents: list[TakenAlert]


def of_alert(alert: Alert, result: AlertResult | None) -> Response:
    """201 opened, 200 anything else that was handled, 202 kept.

    Raises:
        Unavailable: it is parked (`docs/decisions/0004-a-poison-alert-is-answered-503.md`).
    """
    if result is None:
        return json_response({"status": ACCEPTED, "alert_id": alert.alert_id}, 202)
    if result.outcome is AlertOutcome.PARKED:
        raise _parked()
    status = 201 if result.outcome is AlertOutcome.OPENED else 200
    if result.incident is not None:
        return json_response(result.incident, status)
    unopened = {"status": result.outcome, "alert_id": alert.alert_id, "external_id": alert.external_id}
    return json_response(unopened, status)


def of_group(readings: Sequence[Reading], results: Sequence[AlertResult | None]) -> Response:
    """201 when one of them opened an incident, 202 when none is handled yet, else 200; `results` are of the readings
    that are alerts.

    Raises:
        Unavailable: all of them are parked. One that is parked beside others is in the answer and in sight, and a
            repeat of all would park it again.
    """
    refuse_parked(results)
    entries = list(_entries(readings, results))
    first = next((result.incident for result in results if result is not None and result.incident), None)
    answer: dict[str, Any] = {"status": entries[0].status} if first is None else _fields(first)
    return json_response({**answer, "incidents": entries}, _status(results))


def refuse_parked(results: Sequence[AlertResult | None]) -> None:
    """Raises Unavailable when nothing that was sent could be handled."""
    if all(result is not None and result.outcome is AlertOutcome.PARKED for result in results):
        raise _parked()


def _parked() -> Unavailable:
    return Unavailable("the alert could not be handled; it is kept aside for an operator")


def _status(results: Sequence[AlertResult | None]) -> int:
    if any(result is not None and result.outcome is AlertOutcome.OPENED for result in results):
        return 201
    return 202 if all(result is None for result in results) else 200


def _entries(readings: Sequence[Reading], results: Sequence[AlertResult | None]) -> Iterator[TakenAlert]:
    left = iter(results)
    for reading in readings:
        if isinstance(reading, Unreadable):
            yield TakenAlert(
                id=None, external_id=None, alert_id=None, outcome=REFUSED, status=REFUSED, detail=reading.reason
            )
        else:
            yield _entry(reading, next(left))


def _entry(alert: Alert, result: AlertResult | None) -> TakenAlert:
    incident = None if result is None else result.incident
    outcome = ACCEPTED if result is None else result.outcome
    return TakenAlert(
        id=None if incident is None else incident.id,
        external_id=alert.external_id,
        alert_id=str(alert.alert_id),
        outcome=outcome,
        status=outcome if incident is None else incident.status,
        title=alert.title,
        severity=alert.severity,
    )


def _fields(incident: IncidentView) -> dict[str, Any]:
    return dict(incident)
