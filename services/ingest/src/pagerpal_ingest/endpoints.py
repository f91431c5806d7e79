"""What may a monitoring system call? The routes of ingest.

Each gets the raw request: whatever Content-Type a sender claims, its bytes are read once, by its dialect. Whose key a
request must carry is the handler's first question (`reception.py`); no account is needed.
"""

from functools import partial

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.http import Endpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pagerpal_ingest import receipts, replies
from pagerpal_ingest.alerts import receive_alert
from pagerpal_ingest.answers import GroupAnswer
from pagerpal_ingest.cloudwatch import receive_cloudwatch
from pagerpal_ingest.context import Context
from pagerpal_ingest.events import EventAnswer, receive_event
from pagerpal_ingest.webhooks import receive_alertmanager, receive_grafana


async def receive_receipts(ctx: Context, request: Request) -> Response:
    """What Infobip says later of messages that it took: up to a hundred receipts, in any order."""
    return await ctx.receipts.receive(request)


async def receive_replies(ctx: Context, request: Request) -> Response:
    """What people have answered to a page by SMS, as Infobip passes it on."""
    return await ctx.replies.receive(request)


KEYED = (200, 202, 400, 401, 403, 413, 415, 422, 503)
"""What a route with an alert source key may answer beside the status of its row."""

POSTED_BY_INFOBIP = (401, 403, 413, 415, 422, 503)

ENDPOINTS = (
    Endpoint("POST", "/api/v1/alerts", receive_alert, None, None, 201, IncidentView, KEYED),
    Endpoint("POST", "/api/v1/webhooks/grafana", receive_grafana, None, None, 201, GroupAnswer, KEYED),
    Endpoint("PUT", "/api/v1/webhooks/grafana", receive_grafana, None, None, 201, GroupAnswer, KEYED),
    Endpoint("POST", "/api/v1/webhooks/alertmanager", receive_alertmanager, None, None, 201, GroupAnswer, KEYED),
    Endpoint("POST", "/api/v1/webhooks/cloudwatch", receive_cloudwatch, None, None, 201, IncidentView, KEYED),
    Endpoint("POST", receipts.PATH, receive_receipts, None, None, 200, dict[str, str], POSTED_BY_INFOBIP),
    Endpoint("POST", replies.PATH, receive_replies, None, None, 200, dict[str, str], POSTED_BY_INFOBIP),
    Endpoint("POST", "/v2/enqueue", receive_event, None, None, 202, EventAnswer, (400, 413, 415, 503)),
)


def routes(ctx: Context) -> list[BaseRoute]:
    """A plain Starlette route for each row, with `ctx` given to its handler: nothing else is on the hot path."""
    return [
        Route(row.path, partial(_answer, ctx, row), methods=[row.method], name=row.handler.__name__)
        for row in ENDPOINTS
    ]


async def _answer(ctx: Context, row: Endpoint, request: Request) -> Response:
    request.scope["state"]["route"] = row.path  # what it is counted and traced as
    answer: Response = await row.handler(ctx, request)
    return answer
