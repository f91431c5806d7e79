"""Alerts in, incidents out: a batch in one transaction, and alert by alert when one of them is poison."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.errors import DatabaseUnavailable, Unavailable
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.context import Context
from pagerpal_incidents.domain.fold import Folded, Known, fold, key_of, openings, routing_of
from pagerpal_incidents.domain.incident import Incident
from pagerpal_incidents.storage.incidents import (
    LostRace,
    find_incidents,
    find_latest,
    insert_batch,
    lock_open,
    take_numbers,
    update_by_alerts,
)
from pagerpal_incidents.storage.ledger import find_handled, ledger_rows, park
from pagerpal_incidents.storage.pages import close_pages
from pagerpal_incidents.view import view

log = structlog.get_logger(__name__)

RACES = 5
"""How often a batch starts again because another process opened one of its incidents in between."""


async def take_in(ctx: Context, alerts: Sequence[Alert]) -> list[AlertResult]:
    """Fold alerts into incidents and commit; one result each, in their order.

    Raises:
        Unavailable: nothing is committed that was not reported; the same alerts may be given again.
    """
    once = list({alert.alert_id: alert for alert in alerts}.values())
    try:
        results = await _commit(ctx, once)
    except Unavailable:
        raise
    except Exception as error:
        log.error("intake.batch_failed", alerts=len(once), exc_info=error)
        results = [await _alone(ctx, alert) for alert in once]
    by_id = {result.alert_id: result for result in results}
    return [by_id[alert.alert_id] for alert in alerts]


async def _alone(ctx: Context, alert: Alert) -> AlertResult:
    """One alert in a transaction of its own; poison is parked, in sight, and nobody else's trouble."""
    try:
        (result,) = await _commit(ctx, [alert])
    except Unavailable:
        raise
    except Exception as error:
        log.error("alert.parked", alert_id=str(alert.alert_id), source_id=alert.source_id, exc_info=error)
        async with ctx.db.begin() as tx:
            await park(tx, alert, error=f"{type(error).__name__}: {error}"[:2000], at=ctx.now())
        return AlertResult(alert_id=alert.alert_id, outcome=AlertOutcome.PARKED, incident=None)
    return result


async def _commit(ctx: Context, alerts: Sequence[Alert]) -> list[AlertResult]:
    for race in range(RACES):
        try:
            async with ctx.db.begin() as tx:
                # That an alert comes twice is rare: the ledger refuses it, and only then are we to look first.
                handled = await _handled(tx, alerts) if race else {}
                folded = await _fold(ctx, tx, alerts, handled, ctx.now())
                await _save(ctx, tx, folded, ctx.now())
        except LostRace:
            continue
        if folded.messages:
            ctx.outbox.bell.ring()
        views = {number: view(incident) for number, incident in folded.incidents.items()}
        return [
            AlertResult(alert_id=alert.alert_id, outcome=outcome, incident=views.get(number or 0))
            for alert, outcome, number in folded.results
        ]
    raise DatabaseUnavailable("the same incidents are being opened by too many at once")


async def _fold(
    ctx: Context, tx: AsyncConnection, alerts: Sequence[Alert], handled: Mapping[UUID, Incident | None], at: datetime
) -> Folded:
    """Load what the decision needs, and decide."""
    fresh = [alert for alert in alerts if alert.alert_id not in handled]
    keys = sorted({key for alert in fresh if (key := key_of(alert)) is not None})
    now_open = await lock_open(tx, keys) if keys else {}
    opening = openings(fresh, now_open)
    resolved = {key for alert in fresh if alert.status == AlertStatus.RESOLVED and (key := key_of(alert))}
    known = Known(
        open=now_open,
        latest=await find_latest(tx, sorted(resolved - set(now_open))),
        handled=handled,
        assigned={key: await ctx.assignments.find(tx, key, at) for key in {routing_of(alert) for alert in opening}},
    )
    numbers = await take_numbers(tx, len(opening))
    return fold(alerts, known, iter(numbers), at)


async def _handled(tx: AsyncConnection, alerts: Sequence[Alert]) -> Mapping[UUID, Incident | None]:
    handled = await find_handled(tx, [alert.alert_id for alert in alerts])
    if not handled:
        return {}
    incidents = await find_incidents(tx, {number for number in handled.values() if number is not None})
    return {alert_id: incidents.get(number or 0) for alert_id, number in handled.items()}


async def _save(ctx: Context, tx: AsyncConnection, folded: Folded, at: datetime) -> None:
    changed = sorted(folded.changed - set(folded.opened))
    await update_by_alerts(tx, [folded.incidents[number] for number in changed])
    await close_pages(tx, folded.closed)
    opened = [folded.incidents[number] for number in folded.opened]
    entered = ledger_rows(folded.results, at=at)
    await insert_batch(tx, ctx.insert_batch, opened, folded.events, entered, folded.messages)
