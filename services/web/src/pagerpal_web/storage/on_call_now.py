"""Who has which schedule at this instant? For many schedules at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.oncall import who_is_on_call
from pagerpal_common.rosters import load_rosters
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ACTIVE = text("SELECT id, name FROM directory.users WHERE is_active AND id = ANY(:user_ids)")


@dataclass(frozen=True)
class Held:
    """A schedule, and who has it; nobody has where `user_id` is None."""

    schedule_id: int
    schedule_name: str
    user_id: int | None = None
    user_name: str = ""
    until: datetime | None = None


async def held_now(tx: AsyncConnection, schedule_ids: Sequence[int], at: datetime) -> dict[int, Held]:
    """Who is on call on each of these schedules, by its id."""
    if not schedule_ids:
        return {}
    rosters = await load_rosters(tx, schedule_ids, at=at)
    named = sorted({user for roster in rosters.values() for user in roster.user_ids})
    names: dict[int, str] = {row.id: row.name for row in await tx.execute(_ACTIVE, {"user_ids": named})}
    found: dict[int, Held] = {}
    for schedule_id, roster in rosters.items():
        one = who_is_on_call(roster, at, names)
        found[schedule_id] = (
            Held(schedule_id, roster.name)
            if one is None
            else Held(schedule_id, roster.name, one.user_id, names[one.user_id], one.until)
        )
    return found
