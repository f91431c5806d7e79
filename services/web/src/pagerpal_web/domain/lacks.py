"""By which channels does nothing leave this PagerPal, and what is to be set? Pure: who serves them is the argument."""

from collections.abc import Mapping
from dataclasses import dataclass

from pagerpal_common.vocabulary import Channel


@dataclass(frozen=True)
class Fate:
    """What becomes of a page that nobody brings to anybody."""

    brief: str
    whole: str


NOBODY: Mapping[str, Fate] = {
    "console": Fate("printed on the console only", "only printed on the console, as in development"),
    "none": Fate("not sent: no provider", "not sent, as no provider is configured"),
}
"""What the notifier calls those who take a page and bring it to nobody, and what becomes of it."""

SETTINGS: Mapping[Channel, str] = {
    Channel.SMS: "INFOBIP_BASE_URL and INFOBIP_API_KEY",
    Channel.VOICE: "INFOBIP_BASE_URL and INFOBIP_API_KEY",
    Channel.EMAIL: "SMTP_URL",
}
"""What gives each channel a provider. Webhooks and chats need none."""

_NAMES: Mapping[Channel, str] = {Channel.SMS: "SMS", Channel.VOICE: "calls", Channel.EMAIL: "mail"}


@dataclass(frozen=True)
class Lack:
    """Channels that one setting would serve."""

    channels: str
    """In words: `SMS and calls`."""
    setting: str
    fate: str
    """What becomes of a page by them: `not sent, as no provider is configured`."""


def unserved_of(providers: Mapping[Channel, str]) -> dict[Channel, Fate]:
    """What becomes of a page by each channel that reaches nobody; nothing of channels nobody has told of."""
    return {channel: NOBODY[name] for channel, name in providers.items() if name in NOBODY}


def lacks(unserved: Mapping[Channel, Fate]) -> list[Lack]:
    """The same as sentences are made of, in the order of the vocabulary."""
    found: dict[tuple[str, str], list[str]] = {}
    for channel in Channel:
        if channel in unserved and channel in SETTINGS:
            found.setdefault((SETTINGS[channel], unserved[channel].whole), []).append(_NAMES[channel])
    return [Lack(" and ".join(names), setting, fate) for (setting, fate), names in found.items()]
