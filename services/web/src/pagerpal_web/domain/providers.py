"""Which providers are in trouble, as far as anybody can know? Pure: the time is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

QUIET = timedelta(minutes=10)
"""After this time without a page that could have shown how a provider does, nobody knows whether it is still away. As
long as one waits for it, it is asked again and again."""


@dataclass(frozen=True)
class Trouble:
    """A provider that is left alone, as the notifiers have it."""

    name: str
    since: datetime
    probe_at: datetime
    """When it is asked again, once there is a page to do so with."""
    waiting: int
    """Notifications that wait for it."""


def in_trouble(troubles: Sequence[Trouble], at: datetime) -> list[str]:
    """What is wrong with providers, a line each."""
    return [_line(one) for one in troubles if one.waiting or at - one.probe_at < QUIET]


def _line(trouble: Trouble) -> str:
    waiting = "no notification waits" if not trouble.waiting else _waiting(trouble.waiting)
    return f"{trouble.name} has been in trouble since {trouble.since:%Y-%m-%dT%H:%M:%SZ}; {waiting} for it"


def _waiting(number: int) -> str:
    return "1 notification waits" if number == 1 else f"{number} notifications wait"
