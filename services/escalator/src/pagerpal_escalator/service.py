"""The wiring of the escalator: the one file that knows all its parts."""

from functools import partial

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.escalation import escalation_outbox
from pagerpal_common.service import Loop, Service

from pagerpal_escalator.context import Context
from pagerpal_escalator.handlers import subscriptions
from pagerpal_escalator.loops import BATCH, Watch, sweep, tick
from pagerpal_escalator.settings import EscalatorSettings


def build(settings: EscalatorSettings, bus: Bus, now: Now) -> Service:
    """The service, ready to run."""
    ctx = Context(settings.connect("escalator"), bus, Outbox(escalation_outbox), now)
    return Service(
        name="escalator",
        db=ctx.db,
        close=ctx.db.close,
        subscriptions=subscriptions(ctx),
        loops=(
            Loop("escalator.escalation", partial(tick, ctx, Watch()), 1.0, batch=BATCH),
            Loop("escalator.sweep", partial(sweep, ctx), 2.0, batch=BATCH),
            ctx.outbox.loop("escalator.outbox_relay", ctx.db, bus),
        ),
    )
