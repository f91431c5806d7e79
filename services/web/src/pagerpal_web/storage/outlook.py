"""What does the directory say at each step of a run? Its steps are minutes apart, so it is asked for a day at once."""

from datetime import datetime, timedelta

from pagerpal_common.directory import Outlook, load_outlook
from pagerpal_common.escalation import Facts, Policy
from sqlalchemy.ext.asyncio import AsyncConnection

AT_ONCE = timedelta(days=1)
"""A run whose steps are further apart asks again for each."""


class Foresight:
    """Facts of any instant, for one team, as the directory stands in this transaction."""

    def __init__(self, tx: AsyncConnection, team_id: int) -> None:
        self._tx = tx
        self._team_id = team_id
        self._policy: Policy | None = None
        self._outlook: Outlook | None = None

    async def facts_at(self, policy: Policy | None, at: datetime) -> Facts:
        """What `next_step` needs to know, as `load_facts` would find it out."""
        known = self._outlook
        if known is None or policy != self._policy or not known.since <= at < known.until:
            known = await load_outlook(self._tx, policy, team_id=self._team_id, since=at, until=at + AT_ONCE)
            self._policy, self._outlook = policy, known
        return known.facts_at(at)
