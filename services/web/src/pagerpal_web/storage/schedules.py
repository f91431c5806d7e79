"""Schedules and their entries."""

from pagerpal_common.schema.on_call import schedule_entries, schedules
from sqlalchemy import select

from pagerpal_web.storage.resources import Moment, Resource, View


class Schedule(View):
    team_id: int
    name: str
    timezone: str
    created_at: Moment


class Entry(View):
    """One person's stretch on a schedule."""

    schedule_id: int
    user_id: int
    starts_at: Moment
    ends_at: Moment
    is_override: bool


SCHEDULES = Resource(
    table=schedules,
    view=Schedule,
    query=select(*(schedules.c[name] for name in Schedule.model_fields)),
    ids={"schedule_id": schedules.c.id},
)

ENTRIES = Resource(
    table=schedule_entries,
    view=Entry,
    query=select(*(schedule_entries.c[name] for name in Entry.model_fields)),
    ids={"schedule_id": schedule_entries.c.schedule_id, "entry_id": schedule_entries.c.id},
    parent=SCHEDULES,
)
