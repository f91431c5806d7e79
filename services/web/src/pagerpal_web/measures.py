"""What can only the database tell Prometheus? Asked by web when it is scraped, on whichever replica that is."""

from contextlib import suppress

from pagerpal_common.errors import BusUnavailable
from pagerpal_common.metrics import (
    AUDITOR_BREACHES,
    AUDITOR_RED,
    CIRCUIT_OPEN,
    JOB_DUE,
    JOB_HEALTHY,
    JOB_OLDEST,
    OPEN_INCIDENTS,
    PARKED_ALERTS,
    PARKED_MESSAGES,
)
from pagerpal_common.vocabulary import CircuitState, IncidentStatus, Severity

from pagerpal_web.context import Context
from pagerpal_web.domain.auditor import Check
from pagerpal_web.standing import list_standing
from pagerpal_web.storage.glance import count_open
from pagerpal_web.storage.system import count_parked_alerts, list_circuits


async def measure(ctx: Context) -> None:
    """Bring the gauges up to date.

    What lies parked on the broker is what it was when the broker was last there.

    Raises:
        Unavailable: the database is away; they keep what they were.
    """
    async with ctx.db.begin() as tx:
        opened = await count_open(tx)
        jobs, states = await list_standing(tx, ctx.now())
        parked = await count_parked_alerts(tx)
        circuits = await list_circuits(tx)
    for status in (IncidentStatus.TRIGGERED, IncidentStatus.ACKNOWLEDGED):
        for severity in Severity:
            OPEN_INCIDENTS.labels(status, severity).set(opened.get((status, severity), 0))
    for job in jobs:
        JOB_DUE.labels(job.name).set(job.due)
        JOB_OLDEST.labels(job.name).set(job.lag_seconds or 0)
        JOB_HEALTHY.labels(job.name).set(job.healthy)
    for check in Check:
        state = states.get(check)
        AUDITOR_RED.labels(check).set(state is not None and state.red_since is not None)
        AUDITOR_BREACHES.labels(check).set(0 if state is None else state.found.breaches)
    PARKED_ALERTS.set(parked)
    for provider, circuit in circuits.items():
        CIRCUIT_OPEN.labels(provider).set(circuit is not CircuitState.CLOSED)
    if ctx.bus.is_connected():
        with suppress(BusUnavailable):
            PARKED_MESSAGES.set(await ctx.bus.parked())
