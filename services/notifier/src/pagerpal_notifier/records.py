"""How is it written down what providers have said? What comes while it is busy together, in one transaction.

Alone each answer costs five round trips, which is more than the rest of its notification's way.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.groups import Gatherer, Limits
from pagerpal_common.outbox import Outbox
from pagerpal_common.vocabulary import NotificationStatus

from pagerpal_notifier import breaker
from pagerpal_notifier.breaker import News, Said
from pagerpal_notifier.changes import Move, save
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.domain.circuit import after_outage
from pagerpal_notifier.domain.delivery import Change, Outcome, Verdict, after_message
from pagerpal_notifier.domain.page import Claim, Member
from pagerpal_notifier.domain.watching import first_look
from pagerpal_notifier.storage.circuits import uncount
from pagerpal_notifier.storage.endings import save_ended
from pagerpal_notifier.storage.notifications import end_attempts

LIMITS = Limits(group=50, under_way=2, waiting=1_000, wait=5.0)


AT_ONCE = 200
"""Notifications of one message to a transaction. What is not written down yet is sent again with the same id, which is
right once the provider has decided. While that is not known they are written down together: what goes again must tell
of all of them, for the provider takes an id once."""


class Records:
    """Writes answers down."""

    def __init__(self, db: Database, outbox: Outbox, now: Now) -> None:
        self._db = db
        self._outbox = outbox
        self._now = now
        self._gatherer = Gatherer("records", self._write, LIMITS)

    async def keep(self, claim: Claim, outcome: Outcome, provider: Provider) -> Change:
        """What the answer makes of the notification, once that is committed.

        Raises:
            Unavailable: it may not be; to be said again.
        """
        rows: tuple[Claim | Member, ...] = (claim, *claim.others)
        size = len(rows) if outcome.verdict is Verdict.UNKNOWN else AT_ONCE
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        changes = [await self._gatherer.put(Said(claim, outcome, provider, part)) for part in parts]
        return changes[0]

    async def _write(self, answers: Sequence[Said], _wait: float) -> list[Change]:
        now = self._now()
        async with self._db.begin() as tx:
            news = await breaker.note(tx, answers, now=now)
            moves = [_moves(one, news, now) for one in answers]
            await end_attempts(tx, [(one.claim.attempt_id, one.outcome) for one in answers], now=now)
            await save(self._outbox, tx, [move for part in moves for move in part], now=now)
            await save_ended(tx, [one.claim.address for one in answers if one.outcome.has_ended], now=now)
            await uncount(tx, [row for one in answers if breaker.is_outage(one, news) for row in one.rows])
        breaker.report(news, now=now)
        self._outbox.bell.ring()
        return [part[0].change for part in moves]


def _moves(one: Said, news: Mapping[str, News], now: datetime) -> list[Move]:
    """What the answer makes of this part of the notifications that the message told of."""
    changes = dict(zip((one.claim, *one.claim.others), _changes(one, news, now), strict=True))
    return [Move(row, NotificationStatus.SENDING, changes[row]) for row in one.rows]


def _changes(one: Said, news: Mapping[str, News], now: datetime) -> list[Change]:
    if breaker.is_outage(one, news):
        return [after_outage(one.outcome, now=now)] * (1 + len(one.claim.others))
    watch_at = None if one.provider.poll is None else first_look(one.claim.channel, now=now)
    return after_message(one.outcome, one.claim, now=now, watch_at=watch_at)
