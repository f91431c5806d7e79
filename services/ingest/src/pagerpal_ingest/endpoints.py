"""What does a monitoring system get to hear? The routes of ingest, on the hot path: a plain Starlette route each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pagerpal_common.clock import Now
from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.db import Database
from pagerpal_common.errors import Unavailable, Unprocessable
from pagerpal_common.http import json_response, read_body, unprocessable
from pagerpal_common.vocabulary import AlertOutcome
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pagerpal_ingest import storage
from pagerpal_ingest.admission import Admission
from pagerpal_ingest.domain import generic
from pagerpal_ingest.domain.credentials import source_key
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.sources import Sources

BODY_LIMIT = 256 * 1024
"""Bytes; what SNS sends at most."""

BODY_SECONDS = 10.0
"""How long a body may take to come."""

IDEMPOTENCY_KEY_LIMIT = 255
"""Characters."""


@dataclass(frozen=True)
class Context:
    """What the routes work with."""

    sources: Sources
    admission: Admission
    now: Now


def routes(ctx: Context) -> list[BaseRoute]:
    """The routes, bound to what they work with."""

    async def alerts(request: Request) -> Response:
        return await receive_alert(ctx, request)

    return [Route("/api/v1/alerts", alerts, methods=["POST"])]


async def receive_alert(ctx: Context, request: Request) -> Response:
    """One alert in PagerPal's own format. Answers with its incident, or 202 when that is not known yet."""
    source = await ctx.sources.find(source_key(request.scope["headers"], request.scope["query_string"]))
    with ctx.admission.request_of(source):
        repeat_key = _idempotency_key(request)
        body = await _body(request)
        try:
            alert = generic.parse(body, source, repeat_key=repeat_key, at=ctx.now())
        except ValidationError as error:
            raise unprocessable(error, "body") from None
        return _answer(alert, await ctx.admission.take(source, alert))


async def read_sources(database: Database, hashes: Sequence[bytes]) -> Mapping[bytes, Source]:
    """The sources with these key hashes, as they are now."""
    async with database.begin() as tx:
        return await storage.find_sources(tx, hashes)


async def spool(database: Database, now: Now, alerts: Sequence[Alert]) -> None:
    """Write alerts into the spool."""
    async with database.begin() as tx:
        await storage.insert_spooled(tx, alerts, at=now())


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_body(request, BODY_LIMIT)
    except TimeoutError:
        raise Unavailable("the body has not come in time") from None


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None or (1 <= len(key) <= IDEMPOTENCY_KEY_LIMIT and key.isascii() and key.isprintable()):
        return key
    problem = f"Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_LIMIT} printable ASCII characters"
    raise Unprocessable([{"type": "idempotency_key", "loc": ["header", "Idempotency-Key"], "msg": problem}])


def _answer(alert: Alert, result: AlertResult | None) -> Response:
    if result is None:
        return json_response({"status": "accepted", "alert_id": alert.alert_id}, 202)
    if result.outcome is AlertOutcome.PARKED:
        raise Unavailable("the alert could not be handled; it is kept aside for an operator")
    status = 201 if result.outcome is AlertOutcome.OPENED else 200
    if result.incident is not None:
        return json_response(result.incident, status)
    unopened = {"status": result.outcome, "alert_id": alert.alert_id, "external_id": alert.external_id}
    return json_response(unopened, status)
