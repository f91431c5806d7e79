"""May this source send one more alert just now, and what did each of its alerts and requests come to?

Every alert of every dialect passes here on its way to the intake, so here is where sources are kept apart and counted.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from pagerpal_common.clock import Now
from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.errors import Refusal, Unavailable, Unprocessable
from pagerpal_common.vocabulary import AlertOutcome, SourceEnding

from pagerpal_ingest.domain.allowance import Allowance, full, rate_of
from pagerpal_ingest.domain.reading import Reading, Unreadable
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.intake import WAITING_LIMIT, Intake
from pagerpal_ingest.lanes import SINGLE, Lane, Lanes
from pagerpal_ingest.tally import Tally

log = structlog.get_logger(__name__)

ALERTS_PER_SECOND = 1000.0
"""Of one source, in the long run, unless its configuration or PAGERPAL_SOURCE_ALERTS_PER_SECOND says otherwise."""

AT_ONCE = WAITING_LIMIT * 4 // 5
"""Alerts of one source that may be under way or wait for it; the other places are for the other sources."""

ALLOWANCES_LIMIT = 10_000

OPENINGS_PER_SECOND = 10.0
"""Incidents that a source opens in the long run, and ten times as many at once, before it is a storm of them."""

OPENING = frozenset({AlertOutcome.OPENED, AlertOutcome.REOPENED})
"""After these people are paged."""


class Admission:
    """Lets alerts through to the intake, and tallies them. One per process: with N replicas a source has N limits."""

    def __init__(self, intake: Intake, tally: Tally, now: Now, *, alerts_per_second: float = ALERTS_PER_SECOND) -> None:
        self._intake = intake
        self._tally = tally
        self._now = now
        self._default_rate = alerts_per_second
        self._allowances: dict[int, Allowance] = {}
        self._openings: dict[int, Allowance] = {}
        self._lanes = Lanes()
        self._limited: set[int] = set()

    def admit(self, source: Source, number: int) -> None:
        """Let so many alerts of one body in, all or none.

        Raises:
            Unavailable: it is more than this source may send at a time.
        """
        may_come = self._allowance(source).take(_seconds(), number)
        self._note_limit(source.source_id, is_over=may_come)
        if not may_come:
            self._tally.note(source.source_id, SourceEnding.LIMITED, self._now(), number)
            raise Unavailable("this source sends more than its limit")

    async def take(self, source: Source, alert: Alert, lane: Lane = SINGLE) -> AlertResult | None:
        """What became of the alert; None when it is kept, and will be handled later.

        Raises:
            Unavailable: it is not known to be kept: our own trouble, or too many of this source are under way.
        """
        if self._lanes.under_way(source.source_id) >= AT_ONCE:
            self._tally.note(source.source_id, SourceEnding.LIMITED, self._now())
            raise Unavailable("this source has more under way than its limit")
        ending = SourceEnding.LIMITED
        try:
            async with self._lanes.place(source.source_id, lane, is_open=self._intake.is_unanswered()) as place:
                ending = SourceEnding.UNAVAILABLE
                result = await self._intake.take(alert)
                place.lingers = result is not None and result.outcome in OPENING and self._is_storming(source)
        except Unavailable:
            self._tally.note(source.source_id, ending, self._now())
            raise
        self._tally.note_alert(alert, SourceEnding.KEPT if result is None else result.outcome)
        return result

    @contextmanager
    def request_of(self, source: Source) -> Iterator[None]:
        """Around what is done for a request of a known source: a refusal is counted, and its reason remembered."""
        try:
            yield
        except Refusal as refusal:
            self._tally.note_refusal(source.source_id, SourceEnding.REFUSED_REQUEST, reason_of(refusal), self._now())
            raise

    def note_unreadable(self, source: Source, readings: Sequence[Reading]) -> None:
        """Count those alerts of a body that nothing could be made of, while the others were taken: what the answer says
        of them its sender may never look at."""
        refused = [reading for reading in readings if isinstance(reading, Unreadable)]
        if not refused:
            return
        number, reasons = len(refused), sorted({one.reason for one in refused})
        log.warning("source.alerts_refused", source_id=source.source_id, number=number, reasons=reasons)
        why = f"{number} {'alert' if number == 1 else 'alerts'} of a group: {'; '.join(reasons)}"[:500]
        self._tally.note_refusal(source.source_id, SourceEnding.REFUSED_REQUEST, why, self._now(), number)

    def refuse_key(self, source: Source) -> None:
        """A request came with this source's key, which is not good any more."""
        why = "its key has been replaced" if source.is_active else "the source is switched off"
        self._tally.note_refusal(source.source_id, SourceEnding.REFUSED_KEY, why, self._now())

    def _allowance(self, source: Source) -> Allowance:
        return _of(self._allowances, source.source_id, rate_of(source, self._default_rate))

    def _is_storming(self, source: Source) -> bool:
        """Whether it opens incidents faster than trouble begins; to be asked once for each that it opens."""
        return not _of(self._openings, source.source_id, OPENINGS_PER_SECOND).take(_seconds())

    def _note_limit(self, source_id: int, *, is_over: bool) -> None:
        """One line when it begins, and one when it ends: a storm must not fill the log."""
        if is_over is not (source_id in self._limited):
            return
        if is_over:
            self._limited.discard(source_id)
            log.info("source.limit_ended", source_id=source_id)
        else:
            self._limited.add(source_id)
            log.warning("source.limited", source_id=source_id)


def _of(allowances: dict[int, Allowance], source_id: int, rate: float) -> Allowance:
    known = allowances.get(source_id)
    if known is None or known.rate != rate:
        if len(allowances) >= ALLOWANCES_LIMIT:
            seconds = _seconds()
            for key in [key for key, one in allowances.items() if one.is_full(seconds)]:
                del allowances[key]
        known = allowances[source_id] = full(rate, _seconds())
    return known


def reason_of(refusal: Refusal) -> str:
    """The reason in one line: where it does not fit, never what was sent."""
    if isinstance(refusal, Unprocessable):
        places = (f"{'.'.join(map(str, _as_list(problem['loc'])))}: {problem['msg']}" for problem in refusal.problems)
        return "; ".join(places)[:500]
    return refusal.detail[:500]


def _as_list(location: object) -> list[object]:
    return list(location) if isinstance(location, list | tuple) else [location]


def _seconds() -> float:
    return asyncio.get_running_loop().time()
