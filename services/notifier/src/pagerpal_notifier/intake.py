"""How does a page request become notifications?"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from pagerpal_common import tracing
from pagerpal_common.contracts.incidents import PageRequested
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.directory import addressee, find_contacts
from pagerpal_common.log import tell_each
from pagerpal_common.notification_rules import plan
from pagerpal_common.tracing import Kind, Span
from pagerpal_common.vocabulary import NotificationStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.context import Context
from pagerpal_notifier.storage.requests import PageRequest, Written, insert_notifications, list_untaken

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Page requests to a transaction."""


async def take_in(ctx: Context, ids: Sequence[int] | None) -> int:
    """Write down the notifications of open page requests that have none, and commit; how many requests there were.

    Safe to repeat, and for any number of processes at once.

    Args:
        ids: only those requests; None looks through all. What is beyond `AT_ONCE` is left for the next call.

    Raises:
        Unavailable: nothing is certain; the same requests may be given again.
    """
    now = ctx.now()
    with tracing.together() as together:
        async with ctx.db.begin() as tx:
            requests = await list_untaken(tx, ids, limit=AT_ONCE)
            if not requests:
                return 0
            for request in requests if tracing.is_on() else ():
                together.add(_span(request))
            await _write(ctx, tx, requests, now)
    ctx.send_bell.ring()
    ctx.outbox.bell.ring()
    _tell(requests)
    return len(requests)


async def _write(ctx: Context, tx: AsyncConnection, requests: Sequence[PageRequest], now: datetime) -> None:
    contacts = await find_contacts(tx, sorted({request.user_id for request in requests}))
    planned = [
        (request, step)
        for request in requests
        for step in plan(
            addressee(contacts.get(request.user_id)),
            severity=request.severity,
            requested_at=request.requested_at,
            now=request.requested_at,  # as it was wanted: how late it is shows when it goes out
        )
    ]
    written = await insert_notifications(tx, planned, now=now)
    await ctx.outbox.add(tx, _ends(written, now))


def _span(request: PageRequest) -> Span:
    attributes = {
        **tracing.messaging("process", PageRequested.topic),
        "pagerpal.incident.id": request.incident_id,
        "pagerpal.page_request.id": request.id,
    }
    return tracing.begin(
        f"process {PageRequested.topic}", Kind.CONSUMER, parent=request.traceparent, attributes=attributes
    )


def _tell(requests: Sequence[PageRequest]) -> None:
    taken = [
        {"incident_id": one.incident_id, "page_request_id": one.id, "request_id": one.request_id} for one in requests
    ]
    tell_each(log.info, "page.taken_up", taken)


def _ends(written: Sequence[Written], now: datetime) -> list[NotificationSettled]:
    """Those that failed before they began are told of like any other."""
    return [
        NotificationSettled(incident_id=one.incident_id, notification_id=one.notification_id, occurred_at=now)
        for one in written
        if one.status is NotificationStatus.FAILED
    ]
