"""In which order are the levels of a policy entered? One changes places with its neighbour, in one transaction.

Two PATCHes would leave a moment in which an escalation could begin with an order that nobody wanted.
"""

from typing import Literal

from pagerpal_common.errors import NotFound
from pagerpal_common.http import Body, Call
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.storage.policies import LEVELS, POLICIES, Level
from pagerpal_web.storage.resources import get_row, record_change, update_row

NOWHERE = 0
"""A number that no level has: where one waits, unseen by others, while two change places."""

_MOVE = text("UPDATE directory.escalation_levels SET level_number = :number WHERE id = :id")


class Move(Body):
    """One place up, to be entered earlier, or down."""

    to: Literal["up", "down"]


async def move_level(ctx: Context, call: Call[Move]) -> Level:
    """Let a level change places with the one before or after it; the first and the last stay where there is none.

    Raises:
        NotFound: there is no such level.
    """
    by, level_id = author_of(ctx, call), call.ids["level_id"]
    async with ctx.db.begin() as tx:
        policy = await get_row(tx, POLICIES, call.ids, lock=True)
        order = [level.id for level in policy.levels]
        if level_id not in order:
            raise NotFound(f"there is no escalation level {level_id}")
        place = order.index(level_id)
        beside = place + (1 if call.body.to == "down" else -1)
        level = await get_row(tx, LEVELS, call.ids, lock=True)
        if not 0 <= beside < len(order):
            return level
        other = await get_row(tx, LEVELS, {**call.ids, "level_id": order[beside]}, lock=True)
        await _set_number(tx, level.id, NOWHERE)
        await update_row(tx, LEVELS, other.id, {"level_number": level.level_number}, by)
        await _set_number(tx, level.id, other.level_number)
        moved = await get_row(tx, LEVELS, call.ids)
        await record_change(tx, LEVELS, level, moved, by)
        return moved


async def _set_number(tx: AsyncConnection, level_id: int, number: int) -> None:
    await tx.execute(_MOVE, {"id": level_id, "number": number})
