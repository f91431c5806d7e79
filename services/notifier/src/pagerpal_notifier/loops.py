"""What the notifier looks for by itself: page requests nobody told it of, notifications that are due, those that
wait for a provider in vain, and the attempts that receipts came too early for.

What is due is claimed as messages (`claiming.py`) and their ids are committed first; then the provider is called,
outside any transaction; then what came of it is recorded. Whoever dies in between leaves rows that are `sending` past
their deadline, and they are sent again with the same id.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from pagerpal_common import tracing
from pagerpal_common.errors import Unavailable
from pagerpal_common.metrics import HOPS, NOTIFICATIONS, PAGES
from pagerpal_common.tracing import caused_by
from pagerpal_common.vocabulary import NotificationStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier import gates
from pagerpal_notifier.calls import call
from pagerpal_notifier.changes import Move, save
from pagerpal_notifier.claiming import Claimed, claim_due
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import (
    DEADLINE,
    SEND_SECONDS,
    Change,
    Outcome,
    without_send,
)
from pagerpal_notifier.domain.lifecycle import LOST
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.intake import take_in
from pagerpal_notifier.receipts import forget, match
from pagerpal_notifier.storage.channels import Served, save_channels
from pagerpal_notifier.storage.circuits import release_stray
from pagerpal_notifier.storage.notifications import cancel_held

log = structlog.get_logger(__name__)

RECORD_PAUSES = (0.1, 0.5, 2.0)
"""Seconds between tries to record what a provider said. A mail that is not recorded goes out twice."""


async def take_up(ctx: Context) -> int:
    """Take in page requests that have no notification: the sweep behind `PageRequested`."""
    return await take_in(ctx, None)


async def send(ctx: Context) -> int:
    """Claim what is due and begin to send it, as far as there is room; returns how many messages and ends there were.

    Does not wait for the provider, so that a slow call holds up nobody else's page.
    """
    room = ctx.in_flight.room()
    if not room:
        return 0
    until = asyncio.get_running_loop().time() + SEND_SECONDS
    now = ctx.now()
    async with ctx.db.begin() as tx:
        gate = await gates.ask(ctx, tx, room=room, now=now)
        due = await _claim(ctx, tx, gate.parts, room=room, now=now)
        await gates.settle(ctx, tx, gate, due.claims)
        ends = [(row, without_send(row)) for row in due.others]
        await save(ctx.outbox, tx, [Move(row, row.status, change) for row, change in ends], now=now)
    for row, change in ends:
        NOTIFICATIONS.labels(row.channel, change.status).inc()
    for claim in due.claims:
        ctx.in_flight.start(_deliver(ctx, ctx.link(claim, now), until), name=f"notification {claim.notification_id}")
    gates.look_again(ctx, gate, due.claims)
    if due.others:
        ctx.outbox.bell.ring()
    return len(due.claims) + len(due.others) + due.held


async def _claim(
    ctx: Context, tx: AsyncConnection, parts: Sequence[gates.Part], *, room: int, now: datetime
) -> Claimed:
    due = Claimed([], [], 0)
    for part in parts:
        found = await claim_due(
            tx,
            room=min(part.room, room - len(due.claims)),
            now=now,
            deadline=now + DEADLINE,
            providers={channel: provider.name for channel, provider in ctx.providers.items()},
            shut=part.shut,
        )
        due = Claimed([*due.claims, *found.claims], [*due.others, *found.others], due.held + found.held)
    return due


async def settle_held(ctx: Context) -> int:
    """End what waits for a provider in trouble and is no longer wanted: the sweep behind `IncidentAcknowledged` and
    `IncidentResolved`. What is due is looked at by its claim, but this is due only once the provider answers. What
    waits for one that is in no trouble, or serves nobody any more, is made due."""
    now = ctx.now()
    async with ctx.db.begin() as tx:
        cancelled = await cancel_held(tx, now=now)
        released = await release_stray(tx, {provider.name for provider in ctx.providers.values()}, now=now)
    if released:
        ctx.send_bell.ring()
    return cancelled + released


async def match_receipts(ctx: Context) -> int:
    """Look again for the attempts of receipts that had none, and forget those that have had none for a day."""
    matched = await match(ctx)
    await forget(ctx)
    return matched


async def tell_channels(ctx: Context) -> int:
    """Write down who takes the pages of each channel here, so that pages of web can warn of those that reach nobody."""
    served = {channel: Served(one.name, one.public_key) for channel, one in ctx.providers.items()}
    async with ctx.db.begin() as tx:
        return await save_channels(tx, served)


async def _deliver(ctx: Context, claim: Claim, until: float) -> None:
    """Call the provider, and record what came of it; the first of its traces goes on, the others are linked to it."""
    trace = claim.traces[0] if claim.traces else None
    with caused_by(claim.request_id, trace), tracing.span("send page", links=claim.traces[1:]) as span:
        span.set({"pagerpal.incident.id": claim.incident_id, "pagerpal.notification.id": claim.notification_id})
        span.set({"pagerpal.channel": claim.channel.value, "pagerpal.attempt": claim.attempts})
        status = await _send(ctx, claim, until)
        span.set({"pagerpal.outcome": status})


async def _send(ctx: Context, claim: Claim, until: float) -> str:
    outcome = await call(ctx, claim, until)
    for pause in (*RECORD_PAUSES, None):
        try:
            change = await ctx.records.keep(claim, outcome, ctx.providers[claim.channel])
        except Unavailable as error:
            if pause is None:
                # It stays `sending`, and is sent again with the same id after its deadline.
                log.error("send.not_recorded", notification_id=claim.notification_id, error=type(error).__name__)
                return "not recorded"
            await asyncio.sleep(pause)
        else:
            break
    _measure(claim, change, ctx.now())
    _report(claim, outcome, change)
    return change.status.value


def _measure(claim: Claim, change: Change, now: datetime) -> None:
    NOTIFICATIONS.labels(claim.channel, change.status).inc(1 + len(claim.others))
    if change.status is not NotificationStatus.SENT:
        return
    if claim.wanted_at is not None:
        HOPS.labels("send").observe((now - claim.wanted_at).total_seconds())
    if claim.opened_at is not None:
        PAGES.labels(claim.channel).observe((now - claim.opened_at).total_seconds())


def _report(claim: Claim, outcome: Outcome, change: Change) -> None:
    ids = {"notification_id": claim.notification_id, "incident_id": claim.incident_id, "channel": claim.channel}
    if change.status is NotificationStatus.SENT:
        log.info("send.sent", **ids, attempts=claim.attempts)
    else:
        say = log.error if change.status in LOST else log.warning
        say("send.not_sent", **ids, attempts=claim.attempts, status=change.status, detail=outcome.detail)
