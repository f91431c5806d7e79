"""A test alert: does this source page whom it should? `/api/v1/alert-sources/{id}/test-alert`."""

import json
from collections.abc import Mapping
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert, AlertsHandled, AlertsReceived, RawAlert
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import Conflict, Unavailable
from pagerpal_common.http import Call, Endpoint
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import AlertStatus, Role, Severity

from pagerpal_web.api.incidents import ANSWER_SECONDS
from pagerpal_web.context import Context
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.sources import SOURCES, AlertSource
from pagerpal_web.storage.users import USERS

LONGEST_TITLE = 255
"""Characters, as of every alert."""


async def send_test_alert(ctx: Context, call: Call[None]) -> IncidentView:
    """Open a critical incident by this source, as an alert of it would: its people are really paged.

    Each time a new incident. It is no alert of the source's own, so nothing but a person resolves it.
    """
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, call.ids)
        sender = await get_row(tx, USERS, {"user_id": call.actor.user_id})
    if not source.is_active:
        raise Conflict(f"alert source {source.id} is not active, so an alert of it would be refused")
    at = ctx.now()
    message = AlertsReceived(occurred_at=at, alerts=(_test_alert(source, sender.name, at),))
    handled = await ctx.bus.request(message, AlertsHandled, wait=ANSWER_SECONDS)
    incident = handled.results[0].incident
    if incident is None:
        raise Unavailable("the test alert could not be handled; it is kept aside for an operator")
    return incident


def _test_alert(source: AlertSource, sender: str, at: datetime) -> Alert:
    title = f"Test alert from {source.name}, sent by {sender}"
    title = title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
    description = (
        f"This is a test: nothing is wrong. {sender} sent it to see whom alerts from {source.name} page. "
        "Resolve it once you have seen it."
    )
    return Alert(
        alert_id=uuid7(),
        source_id=source.id,
        team_id=source.team_id,
        escalation_policy_id=source.escalation_policy_id,
        external_id=None,
        status=AlertStatus.FIRING,
        severity=Severity.CRITICAL,
        title=title,
        description=description,
        received_at=at,
        raw=_raw({"title": title, "description": description, "severity": Severity.CRITICAL}),
    )


def _raw(body: Mapping[str, str]) -> RawAlert:
    """As a sender of PagerPal's own format would have sent it."""
    text = json.dumps(body, ensure_ascii=False)
    return RawAlert(text=text, size=len(text.encode()), content_type="application/json")


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/alert-sources/{source_id:int}/test-alert",
        send_test_alert,
        Role.RESPONDER,
        status=201,
        gives=IncidentView,
        refuses=(409,),
    ),
)
