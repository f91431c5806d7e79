"""What will a change do before it is saved? It is made by the handler that would save it, looked at, and taken back.

So the preview cannot say anything else than what saving does: its rules, its refusals and its numbers are the same. No
row of it is ever seen by anybody else, because its transaction takes it back (PostgreSQL, "ROLLBACK TO SAVEPOINT").
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pagerpal_common.oncall import Timeline

from pagerpal_web.context import Context
from pagerpal_web.domain.picture import Stretch
from pagerpal_web.one_transaction import within
from pagerpal_web.ui.coverage import Loaded, load

Change = Callable[[Context], Awaitable[Any]]
"""Makes a change, in the transactions that its context begins."""


@dataclass(frozen=True)
class Rehearsal:
    """Who is on call on a schedule without a change, and with it; and everybody whom either names."""

    before: Timeline
    after: Timeline
    loaded: Loaded


async def rehearsed(ctx: Context, schedule_id: int, stretch: Stretch, change: Change) -> Rehearsal:
    """The schedule before and after the change, which has then not happened.

    Raises:
        Refusal: what making the change raises.
        NotFound: there is no such schedule.
    """
    async with ctx.db.begin() as tx:
        before = await load(tx, [schedule_id], stretch)
        trial = await tx.begin_nested()
        try:
            await change(within(ctx, tx))
            after = await load(tx, [schedule_id], stretch)
        finally:
            await trial.rollback()
    everybody = Loaded(after.rosters, {**before.people, **after.people})
    old, new = await before.timelines(stretch), await after.timelines(stretch)
    return Rehearsal(old[schedule_id], new[schedule_id], everybody)
