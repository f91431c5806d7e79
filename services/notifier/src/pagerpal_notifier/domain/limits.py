"""How much does a provider take, and is it one to everybody? The defaults, and what an operator says instead."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What holds for all notifiers together."""

    per_second: float
    """Messages, in the mean. As many may go at once after a quiet second."""
    has_circuit: bool
    """Whether one message's trouble says something of the next one's: not where each address is a server of its own."""


LIMITS: Mapping[str, Limits] = {
    "apprise": Limits(15, has_circuit=False),
    "infobip": Limits(100, has_circuit=True),
    "slack": Limits(50, has_circuit=False),
    "smtp": Limits(50, has_circuit=True),
    "web_push": Limits(50, has_circuit=False),
    "webhook": Limits(100, has_circuit=False),
}
"""By the name of the provider (`channels.Provider.name`). One that is not here has neither a limit nor a circuit."""

LOWEST = 0.1
HIGHEST = 100_000.0


def rates(given: str) -> Mapping[str, float]:
    """Messages per second of each provider: the defaults, but for what is given as `infobip=200,smtp=5`.

    Raises:
        ValueError: that is not how it is given; the text says why.
    """
    found = {name: limits.per_second for name, limits in LIMITS.items()}
    for part in filter(None, (one.strip() for one in given.split(","))):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in LIMITS:
            raise ValueError(f"it must look like infobip=200,smtp=5; the names are {', '.join(LIMITS)}")
        found[name] = _rate(number)
    return found


def _rate(number: str) -> float:
    try:
        rate = float(number)
    except ValueError:
        rate = 0.0
    if not LOWEST <= rate <= HIGHEST:
        raise ValueError(f"each number must be from {LOWEST} to {HIGHEST:.0f} messages a second")
    return rate


def burst(per_second: float) -> float:
    """How many messages may go at once, after a pause: what comes together in a second, and one at least."""
    return max(1.0, per_second)
