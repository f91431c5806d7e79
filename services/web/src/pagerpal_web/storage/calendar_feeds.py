"""Calendars at secret addresses. Of a secret only its SHA-256 is here, and it is found by that alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.audit import Action, Author, Event, record

KIND = "calendar_feed"


@dataclass(frozen=True)
class Feed:
    """Whose calendar it is, and of which schedule; without one, of their own shifts on all."""

    id: int
    user_id: int
    user_name: str
    schedule_id: int | None
    schedule_name: str | None
    created_at: datetime


_FEEDS = """
SELECT f.id, f.user_id, u.name AS user_name, f.schedule_id, s.name AS schedule_name, f.created_at
FROM directory.calendar_feeds f JOIN directory.users u ON u.id = f.user_id
LEFT JOIN directory.schedules s ON s.id = f.schedule_id
"""


async def find_feed(tx: AsyncConnection, secret_hash: bytes) -> Feed | None:
    """The feed with this secret, while whose it is is active."""
    query = text(f"{_FEEDS} WHERE f.secret_hash = :secret_hash AND u.is_active")
    row = (await tx.execute(query, {"secret_hash": secret_hash})).mappings().one_or_none()
    return None if row is None else Feed(**row)


async def list_feeds(tx: AsyncConnection, user_id: int) -> list[Feed]:
    """Somebody's feeds, their own shifts first."""
    query = text(f"{_FEEDS} WHERE f.user_id = :user_id ORDER BY f.schedule_id NULLS FIRST")
    return [Feed(**row) for row in (await tx.execute(query, {"user_id": user_id})).mappings()]


async def list_rotation_names(tx: AsyncConnection, schedule_ids: Collection[int]) -> dict[int, str]:
    """What the rotations of these schedules are called, by id."""
    query = text("SELECT id, name FROM directory.schedule_rotations WHERE schedule_id = ANY(:ids)")
    return {row.id: row.name for row in await tx.execute(query, {"ids": sorted(schedule_ids)})}


async def save_feed(tx: AsyncConnection, by: Author, *, schedule_id: int | None, secret_hash: bytes) -> int:
    """The author's feed, made or given another secret: the one before it holds no longer. Its id.

    The author's row is held, so that two such requests come one after the other.
    """
    await tx.execute(text("SELECT FROM directory.users WHERE id = :id FOR NO KEY UPDATE"), {"id": by.user_id})
    values = {"user_id": by.user_id, "schedule_id": schedule_id, "secret_hash": secret_hash, "at": by.at}
    renew = text("""
        UPDATE directory.calendar_feeds SET secret_hash = :secret_hash, created_at = :at
        WHERE user_id = :user_id AND schedule_id IS NOT DISTINCT FROM CAST(:schedule_id AS bigint) RETURNING id
    """)
    found: int | None = (await tx.execute(renew, values)).scalar_one_or_none()
    action = Action.CREATED if found is None else Action.CHANGED
    if found is None:
        insert = text("""
            INSERT INTO directory.calendar_feeds (user_id, schedule_id, secret_hash, created_at)
            VALUES (:user_id, CAST(:schedule_id AS bigint), :secret_hash, :at) RETURNING id
        """)
        found = (await tx.execute(insert, values)).scalar_one()
    await record(tx, by, Event(action, KIND, found, data={"schedule_id": schedule_id}))
    return found


async def delete_feed(tx: AsyncConnection, by: Author, feed_id: int) -> bool:
    """End a feed of the author's; False when there is none of theirs with this id."""
    query = text("DELETE FROM directory.calendar_feeds WHERE id = :id AND user_id = :user_id RETURNING schedule_id")
    row = (await tx.execute(query, {"id": feed_id, "user_id": by.user_id})).one_or_none()
    if row is None:
        return False
    await record(tx, by, Event(Action.DELETED, KIND, feed_id, data={"schedule_id": row.schedule_id}))
    return True


async def schedules_naming(tx: AsyncConnection, user_id: int) -> list[int]:
    """The ids of the schedules that somebody stands on, in order: on no other can they be on call."""
    query = text("""
        SELECT schedule_id FROM directory.schedule_entries WHERE user_id = :user_id
        UNION
        SELECT r.schedule_id FROM directory.schedule_rotations r
        JOIN directory.rotation_people p ON p.rotation_id = r.id WHERE p.user_id = :user_id
        ORDER BY 1
    """)
    return list((await tx.execute(query, {"user_id": user_id})).scalars())
