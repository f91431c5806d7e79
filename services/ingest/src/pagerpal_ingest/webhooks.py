"""What does a webhook of Grafana or Alertmanager get to hear? Both speak both dialects (`domain/webhook.py`)."""

from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest import answers
from pagerpal_ingest.context import Context
from pagerpal_ingest.domain import webhook
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
    delivery = await read(ctx, request, source, BODY_LIMIT, lambda body: webhook.parse(body, source, at=ctx.now()))
    results = await take(ctx, source, delivery.alerts)
    if delivery.is_group:
        return answers.of_group(delivery.readings, results)
    return answers.of_alert(delivery.alerts[0], results[0])
