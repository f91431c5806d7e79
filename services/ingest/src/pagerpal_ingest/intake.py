"""How is an alert kept, and what became of it? By the bus, by the spool, or not at all; never by this process alone.

A reply from incidents means committed. Without one the alert goes into the spool; should that fail, the broker's own
confirmation is enough. Only when neither has it is the sender told to come again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.contracts.alerts import GROUP_LIMIT, Alert, AlertResult, AlertsHandled, AlertsReceived
from pagerpal_common.errors import NoReply, Unavailable
from pagerpal_common.groups import Gatherer, Limits

log = structlog.get_logger(__name__)

REQUESTS_UNDER_WAY = 4

HOLDS_BACK_SECONDS = 0.25
"""A request unanswered for so long no longer holds back the next: while incidents is away each takes its full time, and
a few slow ones would keep the rest from the broker."""

WAITING_LIMIT = 5_000
"""Alerts that wait for a request, and again for the spool."""

SPOOL_SECONDS = 1.3
"""With the key's look-up (0.5), the reply (2.0) and twice `LATE_SECONDS` a sender hears of both away within 4 s."""

SPOOLING_ENDS_AFTER = timedelta(seconds=5)
"""Answered alerts for so long before the log says that it is over."""

Spool = Callable[[Sequence[Alert]], Awaitable[None]]
"""Writes alerts down, those that are there already not again. Raises Unavailable."""


class Intake:
    """Takes alerts, a group at a time."""

    def __init__(self, bus: Bus, spool: Spool, now: Now, *, reply_seconds: float) -> None:
        """`reply_seconds`: how long an alert waits for its incident, from its arrival."""
        self._bus = bus
        self._spool = spool
        self._now = now
        self._unanswered_at: datetime | None = None
        self._asking = Gatherer(
            "alerts",
            self._ask,
            Limits(GROUP_LIMIT, REQUESTS_UNDER_WAY, WAITING_LIMIT, reply_seconds, HOLDS_BACK_SECONDS),
        )
        self._spooling = Gatherer(
            "spool",
            self._write,
            Limits(GROUP_LIMIT, under_way=2, waiting=WAITING_LIMIT, wait=SPOOL_SECONDS),
        )

    async def take(self, alert: Alert) -> AlertResult | None:
        """What became of the alert; None when it is kept, and will be handled later.

        Raises:
            Unavailable: it is not known to be kept. It may be all the same: a repeat must be safe.
        """
        is_confirmed = False
        try:
            result = await self._asking.put(alert)
            if result is not None:
                self._note_answer()
                return result
            is_confirmed = True
        except Unavailable:
            pass
        self._note_silence(is_confirmed=is_confirmed)
        try:
            await self._spooling.put(alert)
        except Unavailable:
            if not is_confirmed:
                raise
        return None

    def is_unanswered(self) -> bool:
        """Whether incidents has been silent of late: alerts then take their full time, each by itself."""
        return self._unanswered_at is not None

    async def finish(self) -> None:
        """Wait for what is under way."""
        await self._asking.finish()
        await self._spooling.finish()

    async def _ask(self, alerts: Sequence[Alert], wait: float) -> Sequence[AlertResult | None]:
        """One result per alert; None for one that the broker has confirmed, but incidents has not answered."""
        message = AlertsReceived(occurred_at=self._now(), alerts=tuple(alerts))
        try:
            handled = await self._bus.request(message, AlertsHandled, wait=wait, expires=False)
        except NoReply:
            return [None] * len(alerts)
        results: dict[object, AlertResult] = {}
        for result in handled.results:
            # The first: of an alert that is in the group twice it says what it did, the second only "duplicate".
            results.setdefault(result.alert_id, result)
        return [results.get(alert.alert_id) for alert in alerts]

    async def _write(self, alerts: Sequence[Alert], _wait: float) -> Sequence[None]:
        await self._spool(alerts)
        return [None] * len(alerts)

    def _note_silence(self, *, is_confirmed: bool) -> None:
        if self._unanswered_at is None:
            log.warning("intake.spooling_began", is_confirmed=is_confirmed)
        self._unanswered_at = self._now()

    def _note_answer(self) -> None:
        if self._unanswered_at is not None and self._now() - self._unanswered_at >= SPOOLING_ENDS_AFTER:
            self._unanswered_at = None
            log.warning("intake.spooling_ended")
