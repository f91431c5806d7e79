"""What does a sender that believes we are PagerDuty get to hear? What PagerDuty would say.

`docs/decisions/0014-a-wrong-routing-key-is-400.md` says where that differs from our other routes.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.errors import PagerPalError, Refusal, TooLarge, Unprocessable, Unsupported
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
    header = request.headers.get("x-routing-key", "").strip()
    try:
        body = await read_body(request, BODY_LIMIT)
        key, said = pagerduty.addressed(body, header)
    except Refusal as refusal:
        await _note_unread(ctx, header, refusal)
        raise
    source = await ctx.sources.find(key)
    with ctx.admission.request_of(source):
        parse = partial(_parse, said=said, source=source, at=ctx.now(), how=sent(request, source, key))
        event, alert = await understand(ctx, request, source, body, parse)
    refuse_parked(await take(ctx, source, [alert]))
    return json_response(EventAnswer(dedup_key=event.dedup_key), 202)


def _parse(
    body: bytes, said: Mapping[str, Any], source: Source, at: datetime, how: Sent
) -> tuple[pagerduty.Event, Alert]:
    event = pagerduty.event_of(said)
    return event, how.all_of(pagerduty.alert_in(event, source, at), body)


async def _note_unread(ctx: Context, key: str, refusal: Refusal) -> None:
    """Whose a body is that cannot be read, only a header may say. What that leads to changes nothing in the answer."""
    if not key:
        return
    with suppress(PagerPalError), ctx.admission.request_of(await ctx.sources.find(key)):
        raise refusal


def _errors(refusal: Refusal) -> list[str]:
    if isinstance(refusal, Unprocessable):
        return [str(problem["msg"]) for problem in refusal.problems]
    return [refusal.detail]
