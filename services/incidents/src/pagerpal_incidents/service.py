"""The wiring of the incidents service: the one file that knows all its parts."""

from functools import partial

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.metrics import HOPS, INTAKE, begin_at_zero
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.incidents import incidents_outbox
from pagerpal_common.service import Loop, Service
from pagerpal_common.vocabulary import AlertOutcome

from pagerpal_incidents.context import context
from pagerpal_incidents.handlers import subscriptions
from pagerpal_incidents.loops import (
    BATCH,
    COUNT_BATCH,
    add_up_counts,
    apply_unapplied,
    forget_early_ends,
    take_spooled,
    tell_notifications,
)
from pagerpal_incidents.settings import IncidentsSettings


def build(settings: IncidentsSettings, bus: Bus, now: Now) -> Service:
    """The service, ready to run."""
    ctx = context(settings.connect("incidents"), Outbox(incidents_outbox), now)
    begin_at_zero(INTAKE, AlertOutcome)
    begin_at_zero(HOPS, ("open", "escalate"))
    return Service(
        name="incidents",
        db=ctx.db,
        close=ctx.db.close,
        subscriptions=subscriptions(ctx),
        loops=(
            ctx.outbox.loop("incidents.outbox_relay", ctx.db, bus),
            Loop("incidents.alert_spool", partial(take_spooled, ctx), 1.0, batch=BATCH),
            Loop("incidents.escalation_sweep", partial(apply_unapplied, ctx), 1.0, batch=BATCH),
            Loop("incidents.notification_sweep", partial(tell_notifications, ctx), 2.0, batch=BATCH),
            Loop("incidents.counts", partial(add_up_counts, ctx), 1.0, batch=COUNT_BATCH),
            Loop("incidents.early_ends", partial(forget_early_ends, ctx), 60.0, batch=BATCH),
        ),
    )
