"""What does Amazon SNS get to hear? `POST /api/v1/webhooks/cloudwatch`; what is believed of it says `sns.py`."""

from pagerpal_common.http import json_response, read_body
from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest.answers import of_alert
from pagerpal_ingest.context import Context
from pagerpal_ingest.domain import raw_parts
from pagerpal_ingest.domain.sns import Kind
from pagerpal_ingest.raw import sent
from pagerpal_ingest.reception import source_of, take

BODY_LIMIT = 256 * 1024
"""Bytes; what SNS sends at most."""


async def receive_cloudwatch(ctx: Context, request: Request) -> Response:
    """A delivery of Amazon SNS: an alarm of CloudWatch, another message, or the begin or end of a subscription."""
    source = await source_of(ctx, request)
    with ctx.admission.request_of(source):
        body = await read_body(request, BODY_LIMIT)
        received = await ctx.sns.receive(source, body, request.headers)
    if received.kind is Kind.SUBSCRIPTION:
        return json_response({"status": "subscription_confirmed"})
    alerts = sent(request, source).each(lambda: raw_parts.of_sns(body, received.records), received.alerts)
    results = await take(ctx, source, alerts)
    answers = [of_alert(alert, result) for alert, result in zip(alerts, results, strict=True)]
    if received.kind is Kind.UNSUBSCRIPTION and answers[0].status_code == 201:
        answers[0].status_code = 200  # the sender has asked for nothing to be created
    return answers[0]
