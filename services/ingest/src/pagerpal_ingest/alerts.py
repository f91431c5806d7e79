"""What does a sender of PagerPal's own format get to hear? `POST /api/v1/alerts`, the hot path."""

from datetime import datetime
from functools import partial

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.errors import Unprocessable
from pagerpal_common.http import read_json, unprocessable
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest.answers import of_alert
from pagerpal_ingest.context import Context
from pagerpal_ingest.domain import generic
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.raw import Sent, sent
from pagerpal_ingest.reception import source_of, take, understand

BODY_LIMIT = 256 * 1024
"""Bytes; what SNS sends at most."""

IDEMPOTENCY_KEY_LIMIT = 255
"""Characters."""


async def receive_alert(ctx: Context, request: Request) -> Response:
    """One alert in PagerPal's own format. Answers with its incident, or 202 when that is not known yet."""
    source = await source_of(ctx, request)
    with ctx.admission.request_of(source):
        repeat_key = _idempotency_key(request)
        body = await read_json(request, BODY_LIMIT)
        parse = partial(_parse, source=source, repeat_key=repeat_key, at=ctx.now(), how=sent(request, source))
        alert = await understand(ctx, request, source, body, parse)
    (result,) = await take(ctx, source, [alert])
    return of_alert(alert, result)


def _parse(body: bytes, source: Source, *, repeat_key: str | None, at: datetime, how: Sent) -> Alert:
    try:
        alert = generic.parse(body, source, repeat_key=repeat_key, at=at)
    except ValidationError as error:
        raise unprocessable(error, "body") from None
    return how.all_of(alert, body)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None or (1 <= len(key) <= IDEMPOTENCY_KEY_LIMIT and key.isascii() and key.isprintable()):
        return key
    problem = f"Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_LIMIT} printable ASCII characters"
    raise Unprocessable([{"type": "idempotency_key", "loc": ["header", "Idempotency-Key"], "msg": problem}])
