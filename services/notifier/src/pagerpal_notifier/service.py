"""The wiring of the notifier: the one file that knows all its parts."""

from functools import partial

from pagerpal_common.bus import BREATH, Bus
from pagerpal_common.clock import Now
from pagerpal_common.metrics import HOPS, NOTIFICATIONS, PAGES, begin_at_zero
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.notification import notification_outbox
from pagerpal_common.service import Bell, Loop, Service
from pagerpal_common.vocabulary import Channel, NotificationStatus

from pagerpal_notifier.channels import POLL_LIMIT
from pagerpal_notifier.channels.table import open_channels
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.limits import rates
from pagerpal_notifier.handlers import subscriptions
from pagerpal_notifier.in_flight import LIMIT, InFlight
from pagerpal_notifier.links import linking
from pagerpal_notifier.loops import match_receipts, send, settle_held, take_up, tell_channels
from pagerpal_notifier.polling import watch
from pagerpal_notifier.records import Records
from pagerpal_notifier.settings import NotifierSettings


def build(settings: NotifierSettings, bus: Bus, now: Now) -> Service:
    """The service, ready to run.

    Raises:
        ConfigError: no database is named.
    """
    db = settings.connect("notifier")
    bell = Bell()
    outbox = Outbox(notification_outbox)
    records = Records(db, outbox, now)
    ctx = Context(
        db,
        now,
        outbox,
        bell,
        open_channels(settings, now),
        rates(settings.provider_rates),
        InFlight(bell),
        records,
        linking(settings),
    )

    begin_at_zero(NOTIFICATIONS, Channel, NotificationStatus)
    begin_at_zero(PAGES, Channel)
    begin_at_zero(HOPS, ("send",))

    async def close() -> None:
        await ctx.in_flight.finish()
        for provider in ctx.providers.values():
            await provider.close()
        await db.close()

    return Service(
        name="notifier",
        db=db,
        close=close,
        subscriptions=subscriptions(ctx),
        loops=(
            Loop("notifier.take_up", partial(take_up, ctx), 2.0),
            Loop("notifier.send", partial(send, ctx), 1.0, bell, LIMIT, BREATH),
            ctx.outbox.loop("notifier.outbox_relay", db, bus),
            Loop("notifier.held", partial(settle_held, ctx), 5.0),
            Loop("notifier.receipts", partial(match_receipts, ctx), 10.0),
            Loop("notifier.polling", partial(watch, ctx), 5.0, batch=POLL_LIMIT),
            Loop("notifier.channels", partial(tell_channels, ctx), 60.0),
        ),
    )
