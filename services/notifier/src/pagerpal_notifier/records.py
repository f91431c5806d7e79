"""How is it written down what providers have said? What comes while it is busy together, in one transaction.

Alone each answer costs five round trips, which is more than the rest of its notification's way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.groups import Gatherer, Limits
from pagerpal_common.outbox import Outbox
from pagerpal_common.vocabulary import NotificationStatus

from pagerpal_notifier.changes import Move, save
from pagerpal_notifier.domain.delivery import Change, Outcome, after_send
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.storage.notifications import end_attempts

LIMITS = Limits(group=50, under_way=2, waiting=1_000, wait=5.0)


@dataclass(frozen=True)
class Said:
    """One provider's answer to one claim."""

    claim: Claim
    outcome: Outcome


class Records:
    """Writes answers down."""

    def __init__(self, db: Database, outbox: Outbox, now: Now) -> None:
        self._db = db
        self._outbox = outbox
        self._now = now
        self._gatherer = Gatherer("records", self._write, LIMITS)

    async def keep(self, claim: Claim, outcome: Outcome) -> Change:
        """What the answer makes of the notification, once that is committed.

        Raises:
            Unavailable: it may not be; to be said again.
        """
        return await self._gatherer.put(Said(claim, outcome))

    async def _write(self, answers: Sequence[Said], _wait: float) -> list[Change]:
        now = self._now()
        moves = [
            Move(
                one.claim,
                NotificationStatus.SENDING,
                after_send(one.outcome, tries=one.claim.tries, attempt_id=one.claim.attempt_id, now=now),
            )
            for one in answers
        ]
        async with self._db.begin() as tx:
            await end_attempts(tx, [(one.claim.attempt_id, one.outcome) for one in answers], now=now)
            await save(self._outbox, tx, moves, now=now)
        self._outbox.bell.ring()
        return [move.change for move in moves]
