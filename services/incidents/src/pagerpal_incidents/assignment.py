"""Whom is a new incident assigned to? The first person of level 1, at the instant it opens."""

from datetime import datetime, timedelta

from pagerpal_common.directory import find_policy, load_facts
from pagerpal_common.escalation import fallback_policy, first_responder
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.domain.history import Routing

FRESH = timedelta(seconds=1)
"""How long an answer holds for further incidents of the same team and policy. In a storm it saves two round trips to
each batch, and an outdated one is put right when level 1 is entered, a moment later."""


class Assignments:
    """Remembers answers for a second."""

    def __init__(self) -> None:
        self._known: dict[Routing, tuple[datetime, int | None]] = {}

    async def find(self, tx: AsyncConnection, routing: Routing, at: datetime) -> int | None:
        """The person's id; None when level 1 reaches nobody."""
        self._known = {key: kept for key, kept in self._known.items() if timedelta(0) <= at - kept[0] < FRESH}
        if routing not in self._known:
            self._known[routing] = (at, await _first_of_level_one(tx, routing, at))
        return self._known[routing][1]


async def _first_of_level_one(tx: AsyncConnection, routing: Routing, at: datetime) -> int | None:
    team_id, policy_id = routing
    policy = await find_policy(tx, team_id=team_id, policy_id=policy_id)
    facts = await load_facts(tx, policy, team_id=team_id, at=at)
    return first_responder(policy or fallback_policy(facts), facts)
