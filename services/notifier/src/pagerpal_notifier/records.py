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
from pagerpal_notifier.domain.delivery import Change, Outcome, Verdict, after_message
from pagerpal_notifier.domain.page import Claim, Member
from pagerpal_notifier.storage.notifications import end_attempts

LIMITS = Limits(group=50, under_way=2, waiting=1_000, wait=5.0)


AT_ONCE = 200
"""Notifications of one message to a transaction. What is not written down yet is sent again with the same id, which is
right once the provider has decided. While that is not known they are written down together: what goes again must tell
of all of them, for the provider takes an id once."""


@dataclass(frozen=True)
class Said:
    """One provider's answer to one claim, and what it makes of some of the notifications that it told of."""

    claim: Claim
    outcome: Outcome
    moves: Sequence[Move]


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
        rows: tuple[Claim | Member, ...] = (claim, *claim.others)
        changes = after_message(outcome, claim, now=self._now())
        moves = [Move(row, NotificationStatus.SENDING, change) for row, change in zip(rows, changes, strict=True)]
        size = len(moves) if outcome.verdict is Verdict.UNKNOWN else AT_ONCE
        for start in range(0, len(moves), size):
            await self._gatherer.put(Said(claim, outcome, moves[start : start + size]))
        return changes[0]

    async def _write(self, answers: Sequence[Said], _wait: float) -> list[None]:
        now = self._now()
        async with self._db.begin() as tx:
            await end_attempts(tx, [(one.claim.attempt_id, one.outcome) for one in answers], now=now)
            await save(self._outbox, tx, [move for one in answers for move in one.moves], now=now)
        self._outbox.bell.ring()
        return [None] * len(answers)
