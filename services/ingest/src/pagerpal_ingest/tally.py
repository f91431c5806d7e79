"""How does each source behave? Counted in memory, written down every other second, shown at the source.

The counts serve people. Nothing waits for them, and losing the last two seconds of them with a process is no harm.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.metrics import ALERTS
from pagerpal_common.vocabulary import AlertOutcome, SourceEnding

Ending = AlertOutcome | SourceEnding

WAITING_LIMIT = 20_000
"""Counts that wait to be written while the database is away; beyond these, new ones are not begun."""


@dataclass(frozen=True)
class Seen:
    """What was last seen of a source."""

    last_alert_at: datetime | None = None
    skew_seconds: float | None = None
    last_refused_at: datetime | None = None
    last_refusal: str | None = None


@dataclass
class Counts:
    """What has been counted since it was last written: by source, minute and ending; and what was seen of sources."""

    endings: Counter[tuple[int, datetime, Ending]] = field(default_factory=Counter)
    seen: dict[int, Seen] = field(default_factory=dict)


class Tally:
    """Counts until somebody takes the counts away."""

    def __init__(self) -> None:
        self._counts = Counts()

    def note(self, source_id: int, ending: Ending, at: datetime, number: int = 1) -> None:
        """So many more alerts or requests came to this end."""
        ALERTS.labels(ending).inc(number)
        key = (source_id, at.replace(second=0, microsecond=0), ending)
        if key in self._counts.endings or len(self._counts.endings) < WAITING_LIMIT:
            self._counts.endings[key] += number

    def note_alert(self, alert: Alert, ending: Ending) -> None:
        """An alert was accepted. What its source dates after its arrival shows how far the clock there is ahead."""
        self.note(alert.source_id, ending, alert.received_at)
        before = self._counts.seen.get(alert.source_id, Seen())
        skew = before.skew_seconds
        if alert.event_at is not None:
            skew = max(0.0, (alert.event_at - alert.received_at).total_seconds())
        self._counts.seen[alert.source_id] = replace(before, last_alert_at=alert.received_at, skew_seconds=skew)

    def note_refusal(self, source_id: int, ending: Ending, why: str, at: datetime, number: int = 1) -> None:
        """A request was refused, or so many of its alerts; `why` is for people, and names nothing that was sent."""
        self.note(source_id, ending, at, number)
        before = self._counts.seen.get(source_id, Seen())
        self._counts.seen[source_id] = replace(before, last_refused_at=at, last_refusal=why)

    def take(self) -> Counts:
        """What has been counted so far, which is then no longer here."""
        taken, self._counts = self._counts, Counts()
        return taken

    def put_back(self, counts: Counts) -> None:
        """These could not be written down: count them again, under what has come since."""
        for key, number in counts.endings.items():
            if key in self._counts.endings or len(self._counts.endings) < WAITING_LIMIT:
                self._counts.endings[key] += number
        for source, older in counts.seen.items():
            self._counts.seen[source] = _merged(older, self._counts.seen.get(source, Seen()))


def _merged(older: Seen, newer: Seen) -> Seen:
    return Seen(
        newer.last_alert_at or older.last_alert_at,
        older.skew_seconds if newer.skew_seconds is None else newer.skew_seconds,
        newer.last_refused_at or older.last_refused_at,
        newer.last_refusal or older.last_refusal,
    )
