"""How many alerts may one source send before it has to wait? A token bucket; time is an argument.

A limit is no refusal: the sender is told to come again (503), and nothing that it repeats is lost. It keeps one
source's storm from taking every place that the others need.
"""

from dataclasses import dataclass

from pagerpal_ingest.domain.source import Source

BURST_SECONDS = 10
"""A source that was quiet may send so many seconds' worth at once: storms begin with everything failing together."""

HIGHEST_RATE = 1_000_000.0


@dataclass
class Allowance:
    """What one source has left. Seconds are the event loop's."""

    rate: float
    """Alerts a second, in the long run."""
    left: float
    at: float

    def take(self, seconds: float, number: int = 1) -> bool:
        """Whether that many more alerts may come now, all or none; if so, they are taken off.

        As long as one may come, so may the rest of its body: what is then owed has to be waited for. A body that came
        in parts would be sent again whole, and never be through.
        """
        passed = max(0.0, seconds - self.at)
        self.left = min(self.rate * BURST_SECONDS, self.left + passed * self.rate)
        self.at = seconds
        if self.left < 1:
            return False
        self.left -= number
        return True

    def is_full(self, seconds: float) -> bool:
        """Whether forgetting it would change nothing."""
        return self.left + max(0.0, seconds - self.at) * self.rate >= self.rate * BURST_SECONDS


def full(rate: float, seconds: float) -> Allowance:
    """The allowance of a source that was not heard of."""
    return Allowance(rate, rate * BURST_SECONDS, seconds)


def rate_of(source: Source, default: float) -> float:
    """Alerts a second: `alerts_per_second` of the source's configuration, or the default of this PagerPal.

    Configurations are written by hand: what is no sensible number says nothing.
    """
    given = (source.config or {}).get("alerts_per_second")
    if isinstance(given, bool) or not isinstance(given, int | float):
        return default
    return float(given) if 0 < given <= HIGHEST_RATE else default
