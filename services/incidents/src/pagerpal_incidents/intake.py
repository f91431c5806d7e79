"""Alerts in, incidents out: a batch in one transaction, and alert by alert when one of them is poison."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from pagerpal_common import tracing
from pagerpal_common.contracts.alerts import Alert, AlertResult, AlertsReceived
from pagerpal_common.errors import Conflict, DatabaseUnavailable, Unavailable
from pagerpal_common.log import tell_each
from pagerpal_common.metrics import HOPS, INTAKE
from pagerpal_common.tracing import Kind, Span
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.context import Context
from pagerpal_incidents.domain.fold import Folded, Key, Known, fold, key_of, most_openings
from pagerpal_incidents.domain.history import History, Routing, routing_of
from pagerpal_incidents.domain.incident import Incident
from pagerpal_incidents.storage.histories import find_histories, hold_keys, remember_early
from pagerpal_incidents.storage.incidents import (
    LostRace,
    find_incidents,
    is_repeat,
    save_batch,
    take_numbers,
    update_incidents,
)
from pagerpal_incidents.storage.ledger import find_handled, ledger_rows, park
from pagerpal_incidents.storage.pages import close_pages
from pagerpal_incidents.storage.raws import raw_rows
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
    with tracing.together() as together:
        spans = [together.add(_span(alert)) for alert in once] if tracing.is_on() else []
        results = await _commit_all(ctx, _going_on(once, spans))
        for span, result in zip(spans, results, strict=False):
            _describe(span, result)
    _measure(alerts, results, ctx.now())
    _tell(once, results)
    by_id = {result.alert_id: result for result in results}
    return [by_id[alert.alert_id] for alert in alerts]


async def _commit_all(ctx: Context, alerts: Sequence[Alert]) -> list[AlertResult]:
    try:
        return await _commit(ctx, alerts)
    except Unavailable:
        raise
    except Exception as error:
        log.error("intake.batch_failed", alerts=len(alerts), exc_info=error)
        return [await _alone(ctx, alert) for alert in alerts]


def _span(alert: Alert) -> Span:
    attributes = {
        **tracing.messaging("process", AlertsReceived.topic),
        "pagerpal.alert.id": str(alert.alert_id),
        "pagerpal.source.id": alert.source_id,
    }
    return tracing.begin(
        f"process {AlertsReceived.topic}", Kind.CONSUMER, parent=alert.traceparent, attributes=attributes
    )


def _going_on(alerts: Sequence[Alert], spans: Sequence[Span]) -> Sequence[Alert]:
    """What comes of an alert goes on from the span of its handling, if there is one."""
    if not spans:
        return alerts
    pairs = zip(alerts, spans, strict=True)
    return [alert.model_copy(update={"traceparent": span.traceparent}) for alert, span in pairs]


def _describe(span: Span, result: AlertResult) -> None:
    span.set({"pagerpal.outcome": result.outcome})
    if result.incident is not None:
        span.set({"pagerpal.incident.id": result.incident.id})


def _tell(alerts: Sequence[Alert], results: Sequence[AlertResult]) -> None:
    """Which incident an alert has opened: from here on its number is what all lines have in common."""
    opened = [
        {
            "incident_id": result.incident.id,
            "alert_id": str(alert.alert_id),
            "source_id": alert.source_id,
            "request_id": alert.request_id,
        }
        for alert, result in zip(alerts, results, strict=True)
        if result.incident is not None and result.outcome in {AlertOutcome.OPENED, AlertOutcome.REOPENED}
    ]
    tell_each(log.info, "incident.opened", opened)


def _measure(alerts: Sequence[Alert], results: Sequence[AlertResult], at: datetime) -> None:
    received = {alert.alert_id: alert.received_at for alert in alerts}
    for result in results:
        INTAKE.labels(result.outcome).inc()
        if result.outcome is AlertOutcome.OPENED:
            HOPS.labels("open").observe((at - received[result.alert_id]).total_seconds())


async def _alone(ctx: Context, alert: Alert, given: Alert | None = None) -> AlertResult:
    """One alert in a transaction of its own; poison is parked, in sight, and nobody else's trouble.

    Before that it is tried without the form in which it was sent: nobody is left asleep over what is only looked at.
    `given` is then the alert with it.
    """
    try:
        (result,) = await _commit(ctx, [alert])
    except Unavailable:
        raise
    except Exception as error:
        if alert.raw is not None and given is None:
            log.error("alert.tried_without_raw", alert_id=str(alert.alert_id), exc_info=error)
            bare = alert.model_copy(update={"raw": alert.raw.model_copy(update={"text": None})})
            return await _alone(ctx, bare, given=alert)
        ids = {"alert_id": str(alert.alert_id), "source_id": alert.source_id, "request_id": alert.request_id}
        log.error("alert.parked", **ids, exc_info=error)
        async with ctx.db.begin() as tx:
            await park(tx, given or alert, error=f"{type(error).__name__}: {error}"[:2000], at=ctx.now())
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
        except (LostRace, Conflict):  # the latter: a person has just reopened another incident with the same key
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
    now_open = await hold_keys(tx, keys)
    firing = {key for alert in fresh if alert.status == AlertStatus.FIRING and (key := key_of(alert)) is not None}
    histories, numbers = await find_histories(tx, [key for key in keys if key not in now_open], firing)
    histories |= {key: History(open=incident) for key, incident in now_open.items()}
    numbers += await take_numbers(tx, most_openings(fresh, histories) - len(numbers))
    assigned = await _assigned(ctx, tx, fresh, histories, at) if numbers else {}
    return fold(alerts, Known(histories, handled, assigned), iter(numbers), at)


async def _assigned(
    ctx: Context, tx: AsyncConnection, alerts: Sequence[Alert], histories: Mapping[Key, History], at: datetime
) -> Mapping[Routing, int | None]:
    """The first person of level 1 for whatever may be opened or reopened."""
    routings = {routing_of(alert) for alert in alerts if alert.status == AlertStatus.FIRING}
    if any(alert.flap_seconds for alert in alerts):
        routings |= {routing_of(history.closed) for history in histories.values() if history.closed}
    return {routing: await ctx.assignments.find(tx, routing, at) for routing in routings}


async def _handled(tx: AsyncConnection, alerts: Sequence[Alert]) -> Mapping[UUID, Incident | None]:
    handled = await find_handled(tx, [alert.alert_id for alert in alerts])
    if not handled:
        return {}
    incidents = await find_incidents(tx, {number for number in handled.values() if number is not None})
    return {alert_id: incidents.get(number or 0) for alert_id, number in handled.items()}


async def _save(ctx: Context, tx: AsyncConnection, folded: Folded, at: datetime) -> None:
    changed = [(before, folded.incidents[number]) for number, before in sorted(folded.changed.items())]
    await update_incidents(tx, [after for before, after in changed if not is_repeat(before, after)])
    await close_pages(tx, folded.closed)
    await remember_early(tx, folded.early)
    await save_batch(
        tx,
        ctx.batch_statement,
        opened=[folded.incidents[number] for number in folded.opened],
        repeated=[after for before, after in changed if is_repeat(before, after)],
        events=folded.events,
        alerts=ledger_rows(folded.results, at=at),
        raws=raw_rows(folded.raws),
        messages=folded.messages,
    )
