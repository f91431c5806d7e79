"""The wiring of the notifier: the one file that knows all its parts."""

from collections.abc import Mapping
from functools import partial

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.outbox import RELAYED_AT_ONCE, Outbox
from pagerpal_common.schema.notification import notification_outbox
from pagerpal_common.service import Bell, Loop, Service
from pagerpal_common.vocabulary import Channel

from pagerpal_notifier.channels import Provider
from pagerpal_notifier.channels.console import ABSENT, console
from pagerpal_notifier.channels.infobip import Infobip
from pagerpal_notifier.channels.smtp import Smtp
from pagerpal_notifier.context import Context
from pagerpal_notifier.handlers import subscriptions
from pagerpal_notifier.in_flight import LIMIT, InFlight
from pagerpal_notifier.loops import match_receipts, send, take_up
from pagerpal_notifier.records import Records
from pagerpal_notifier.settings import NotifierSettings


def build(settings: NotifierSettings, bus: Bus, now: Now) -> Service:
    """The service, ready to run.

    Raises:
        ConfigError: no database is named.
    """
    db = settings.connect("notifier")
    infobip = _infobip(settings)
    bell = Bell()
    outbox = Outbox(notification_outbox)
    records = Records(db, outbox, now)
    ctx = Context(db, now, outbox, bell, _providers(settings, infobip), InFlight(bell), records)

    async def close() -> None:
        await ctx.in_flight.finish()
        if infobip is not None:
            await infobip.close()
        await db.close()

    return Service(
        name="notifier",
        db=db,
        close=close,
        subscriptions=subscriptions(ctx),
        loops=(
            Loop("notifier.take_up", partial(take_up, ctx), 2.0),
            Loop("notifier.send", partial(send, ctx), 1.0, bell, LIMIT),
            Loop("notifier.outbox_relay", partial(ctx.outbox.relay, db, bus), 1.0, ctx.outbox.bell, RELAYED_AT_ONCE),
            Loop("notifier.receipts", partial(match_receipts, ctx), 10.0),
        ),
    )


def _infobip(settings: NotifierSettings) -> Infobip | None:
    if settings.infobip_base_url is None or settings.infobip_api_key is None:
        return None
    return Infobip(
        settings.infobip_base_url,
        settings.infobip_api_key,
        sender=settings.infobip_sender,
        voice_sender=settings.infobip_voice_sender,
        public_url=settings.public_url,
        connections=LIMIT,
    )


def _providers(settings: NotifierSettings, infobip: Infobip | None) -> Mapping[Channel, Provider]:
    """Who serves each channel. Without a provider, development sees its pages on the console."""
    nobody = console(settings.public_url) if settings.env == "development" else ABSENT
    mail = None if settings.smtp_url is None else Smtp(settings.smtp_url, public_url=settings.public_url)
    return {
        Channel.SMS: nobody if infobip is None else Provider("infobip", infobip.send_sms),
        Channel.VOICE: nobody if infobip is None else Provider("infobip", infobip.send_voice),
        Channel.EMAIL: nobody if mail is None else Provider("smtp", mail.send),
        Channel.WEBHOOK: nobody,
        Channel.SLACK: nobody,
    }
