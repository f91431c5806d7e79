"""How does all that PagerPal does by itself stand at this moment? Asked by people, and by the outgoing heartbeat."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.auditor import Check, CheckState, problems
from pagerpal_web.domain.jobs import Job, JobName, Work, judge
from pagerpal_web.domain.providers import in_trouble
from pagerpal_web.storage.auditor import list_states
from pagerpal_web.storage.system import count_work, list_runs, list_troubles


async def list_standing(tx: AsyncConnection, at: datetime) -> tuple[list[Job], Mapping[Check, CheckState]]:
    """Every job, and every check of the auditor that has been made."""
    states = await list_states(tx)
    work = {**await count_work(tx, at=at), JobName.AUDITOR: _found(states)}
    found = {
        JobName.NOTIFICATION_RETRY: in_trouble(await list_troubles(tx), at),
        JobName.AUDITOR: problems(states, at),
    }
    return judge(await list_runs(tx), work, at, found), states


def _found(states: Mapping[Check, CheckState]) -> Work:
    """What is red, as the work that waits for somebody."""
    red = [state.found for state in states.values() if state.red_since is not None]
    return Work(
        sum(found.breaches for found in red),
        min((found.oldest_at for found in red if found.oldest_at is not None), default=None),
    )
