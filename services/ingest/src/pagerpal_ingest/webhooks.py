"""What does a webhook of Grafana or Alertmanager get to hear? Both speak both dialects (`domain/webhook.py`)."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest import answers
from pagerpal_ingest.context import Context
from pagerpal_ingest.domain import raw_parts, webhook
from pagerpal_ingest.domain.charset import in_utf8
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.webhook import Delivery
from pagerpal_ingest.raw import Sent, sent
from pagerpal_ingest.reception import read, source_of, take

BODY_LIMIT = 5 * 1024 * 1024
"""Bytes; some ten thousand alerts. There is no limit on their number."""


async def receive_grafana(ctx: Context, request: Request) -> Response:
    """A notification of Grafana's: unified alerting, or a legacy notification channel."""
    return await _receive(ctx, request)


async def receive_alertmanager(ctx: Context, request: Request) -> Response:
    """A notification of Prometheus' Alertmanager, payload version 3 or 4."""
    return await _receive(ctx, request)


async def _receive(ctx: Context, request: Request) -> Response:
    source = await source_of(ctx, request)
    parse = partial(_parse, source=source, at=ctx.now(), how=sent(request, source))
    delivery = await read(ctx, request, source, BODY_LIMIT, parse)
    results = await take(ctx, source, delivery.alerts)
    if not delivery.is_group:
        return answers.of_alert(delivery.alerts[0], results[0])
    answer = answers.of_group(delivery.readings, results)
    ctx.admission.note_unreadable(source, delivery.readings)  # not before: what is answered 503 comes again, all of it
    return answer


def _parse(body: bytes, source: Source, at: datetime, how: Sent) -> Delivery:
    body = in_utf8(body, how.content_type)
    delivery = webhook.parse(body, source, at=at)
    number = len(delivery.readings)
    return replace(delivery, readings=tuple(how.each(lambda: raw_parts.of_group(body, number), delivery.readings)))
