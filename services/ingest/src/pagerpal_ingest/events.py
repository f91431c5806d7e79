"""What does a sender that believes we are PagerDuty get to hear? What PagerDuty would say.

`docs/decisions/0014-a-wrong-routing-key-is-400.md` says where that differs from our other routes.
"""

from datetime import datetime
from functools import partial

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.errors import Refusal, TooLarge, Unprocessable, Unsupported
from pagerpal_common.http import STATUS, json_response, read_body
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest.answers import refuse_parked
from pagerpal_ingest.context import Context
from pagerpal_ingest.domain import pagerduty
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.raw import Sent, sent
from pagerpal_ingest.reception import take, understand

BODY_LIMIT = 512 * 1024
"""Bytes: PagerDuty's own limit."""


class EventAnswer(BaseModel):
    """The event is kept."""

    status: str = "success"
    message: str = "Event processed"
    dedup_key: str


class InvalidEvent(BaseModel):
    """It is not: this is what Alertmanager and Grafana write into their own logs."""

    status: str = "invalid event"
    message: str = "Event object is invalid"
    errors: list[str]


async def receive_event(ctx: Context, request: Request) -> Response:
    """One event of the Events API v2. Its routing key is an alert source key."""
    try:
        return await _receive(ctx, request)
    except Refusal as refusal:
        status = next((STATUS[kind] for kind in (TooLarge, Unsupported) if isinstance(refusal, kind)), 400)
        return json_response(InvalidEvent(errors=_errors(refusal)), status)


async def _receive(ctx: Context, request: Request) -> Response:
    body = await read_body(request, BODY_LIMIT)
    event = pagerduty.event_of(body, request.headers.get("x-routing-key"))
    source = await ctx.sources.find(event.routing_key)
    how = sent(request, source, event.routing_key)
    parse = partial(_alert_in, event=event, source=source, at=ctx.now(), how=how)
    alert = await understand(ctx, request, source, body, parse)
    refuse_parked(await take(ctx, source, [alert]))
    return json_response(EventAnswer(dedup_key=event.dedup_key), 202)


def _alert_in(body: bytes, event: pagerduty.Event, source: Source, at: datetime, how: Sent) -> Alert:
    return how.all_of(pagerduty.alert_in(event, source, at), body)


def _errors(refusal: Refusal) -> list[str]:
    if isinstance(refusal, Unprocessable):
        return [str(problem["msg"]) for problem in refusal.problems]
    return [refusal.detail]
