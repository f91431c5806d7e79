"""How long is a handset's receipt waited for? First the provider is asked, then the person's next contact is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.vocabulary import Channel


@dataclass(frozen=True)
class Patience:
    """Counted from when the provider took the message."""

    ask: timedelta
    """When the provider is asked for the first time."""
    again: timedelta
    """From question to question."""
    most: timedelta
    """When the person's next contact is due."""


PATIENCE: Mapping[Channel, Patience] = {
    Channel.SMS: Patience(timedelta(seconds=60), timedelta(seconds=20), timedelta(seconds=120)),
    # A call is final when it ends: it rings for up to a minute, speaks, and waits for a key.
    Channel.VOICE: Patience(timedelta(seconds=80), timedelta(seconds=20), timedelta(seconds=180)),
}
"""Channels whose providers tell what became of a message."""

UNHEARD = "no receipt from the handset in time"


def first_look(channel: Channel, *, now: datetime) -> datetime | None:
    """When to ask for a message that its provider has just taken; None when there is nobody to ask."""
    patience = PATIENCE.get(channel)
    return None if patience is None else now + patience.ask


def is_over(channel: Channel, *, sent_at: datetime, now: datetime) -> bool:
    """Whether the handset has been waited for long enough."""
    return now - sent_at >= PATIENCE[channel].most
