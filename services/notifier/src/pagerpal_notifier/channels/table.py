"""Which provider serves each channel? The one place where channels are registered."""

from collections.abc import Callable, Mapping

from pagerpal_common.clock import Now
from pagerpal_common.vocabulary import Channel

from pagerpal_notifier.channels import Provider, infobip_sms, infobip_voice, long_tail, slack, smtp, web_push, webhook
from pagerpal_notifier.channels.console import ABSENT, console
from pagerpal_notifier.settings import NotifierSettings

Open = Callable[[NotifierSettings, Now], Provider | None]
"""A channel's provider, ready to send; None when the settings name none."""

CHANNELS: Mapping[Channel, Open] = {
    Channel.SMS: infobip_sms.provider,
    Channel.VOICE: infobip_voice.provider,
    Channel.EMAIL: smtp.provider,
    Channel.WEBHOOK: webhook.provider,
    Channel.SLACK: slack.provider,
    Channel.APPRISE: long_tail.provider,
    Channel.WEB_PUSH: web_push.provider,
}


def open_channels(settings: NotifierSettings, now: Now) -> Mapping[Channel, Provider]:
    """One provider for every channel. Without one, development sees its pages on the console."""
    nobody = console(settings.public_url) if settings.env == "development" else ABSENT
    return {channel: open_one(settings, now) or nobody for channel, open_one in CHANNELS.items()}
