"""Who stands on which schedules? Read-only queries on web's schema, one round trip each."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_common.errors import NotFound
from pagerpal_common.oncall import Roster, Shift
from pagerpal_common.rotation import Rotation, Window
from pagerpal_common.vocabulary import RotationKind

log = structlog.get_logger(__name__)


def _rosters(decisive: str) -> TextClause:
    """One row for each entry of which this is true, one for each rotation, and one for a schedule without either."""
    return text(f"""
    SELECT s.id AS schedule_id, s.name AS schedule_name, s.timezone, candidate.*
    FROM directory.schedules s
    LEFT JOIN LATERAL (
        SELECT min(n.starts_at) AS starts_at
        FROM directory.schedule_entries n JOIN directory.users u ON u.id = n.user_id
        WHERE n.schedule_id = s.id AND NOT n.is_override AND n.starts_at > :at AND u.is_active
    ) next ON true
    LEFT JOIN LATERAL (
        SELECT e.id AS entry_id, e.user_id, e.starts_at, e.ends_at, e.is_override, e.created_at,
               CAST(NULL AS bigint) AS rotation_id, CAST(NULL AS text) AS kind, CAST(NULL AS int) AS length,
               CAST(NULL AS timestamp) AS handoff_at, CAST(NULL AS text) AS restrictions,
               CAST(NULL AS int) AS priority, CAST(NULL AS bigint[]) AS user_ids
        FROM directory.schedule_entries e
        WHERE e.schedule_id = s.id AND e.ends_at > :at AND ({decisive})
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL,
               r.id, r.kind, r.length, r.handoff_at, CAST(r.restrictions AS text), r.priority,
               ARRAY(SELECT p.user_id FROM directory.rotation_people p WHERE p.rotation_id = r.id ORDER BY p.position)
        FROM directory.schedule_rotations r
        WHERE r.schedule_id = s.id
    ) candidate ON true
    WHERE s.id = ANY(:schedule_ids)
    ORDER BY s.id
    """)


# Of what is still to come, overrides and the next entry are needed too: the answer holds only until one begins.
_AT = _rosters("e.is_override OR e.starts_at <= coalesce(next.starts_at, :at)")

_THROUGH = _rosters("e.starts_at < :until")


async def load_rosters(tx: AsyncConnection, schedule_ids: Sequence[int], *, at: datetime) -> dict[int, Roster]:
    """The rosters of these schedules as far as they decide who is on call at `at`, and until when; by id, in order."""
    return _read((await tx.execute(_AT, {"schedule_ids": list(schedule_ids), "at": at})).mappings().all())


async def load_roster(tx: AsyncConnection, schedule_id: int, *, since: datetime, until: datetime) -> Roster:
    """The roster of a schedule for the time from `since` up to `until`.

    Raises:
        NotFound: there is no such schedule.
    """
    rosters = await load_rosters_through(tx, [schedule_id], since=since, until=until)
    if schedule_id not in rosters:
        raise NotFound(f"there is no schedule {schedule_id}")
    return rosters[schedule_id]


async def load_rosters_through(
    tx: AsyncConnection, schedule_ids: Sequence[int], *, since: datetime, until: datetime
) -> dict[int, Roster]:
    """The rosters of these schedules for the time from `since` up to `until`; by id, in order."""
    values = {"schedule_ids": list(schedule_ids), "at": since, "until": until}
    return _read((await tx.execute(_THROUGH, values)).mappings().all())


def _read(rows: Sequence[RowMapping]) -> dict[int, Roster]:
    by_schedule: dict[int, list[RowMapping]] = {}
    for row in rows:
        by_schedule.setdefault(row["schedule_id"], []).append(row)
    return {
        number: Roster(
            number,
            own[0]["schedule_name"],
            tuple(_shift(row) for row in own if row["entry_id"] is not None),
            tuple(_rotation(row) for row in own if row["rotation_id"] is not None),
        )
        for number, own in by_schedule.items()
    }


def _shift(row: RowMapping) -> Shift:
    return Shift(
        entry_id=row["entry_id"],
        schedule_id=row["schedule_id"],
        user_id=row["user_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        is_override=row["is_override"],
        created_at=row["created_at"],
    )


def _rotation(row: RowMapping) -> Rotation:
    return Rotation(
        rotation_id=row["rotation_id"],
        schedule_id=row["schedule_id"],
        user_ids=tuple(row["user_ids"]),
        kind=RotationKind(row["kind"]),
        length=row["length"],
        handoff_at=row["handoff_at"],
        zone=_zone(row["timezone"]),
        windows=tuple(_window(each) for each in json.loads(row["restrictions"])),
        priority=row["priority"],
    )


def _window(restriction: Mapping[str, Any]) -> Window:
    return Window(
        weekdays=frozenset(restriction["weekdays"]),
        begins=time.fromisoformat(restriction["from"]),
        ends=time.fromisoformat(restriction["to"]),
    )


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """The time zone; UTC for one that this machine does not know, so that somebody is woken, if not the right one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        log.error("timezone.unknown", timezone=name)
        return ZoneInfo("UTC")
