"""Who is logged in where? A row per session; without its row a cookie is worth nothing."""

from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.vocabulary import Role
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.session import IDLE, LONGEST, PER_PERSON
from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.resources import Moment

_FOUND = text("""
SELECT s.id, s.user_id, u.role, u.name, u.timezone, s.last_seen_at, s.expires_at
FROM directory.sessions s
JOIN directory.users u ON u.id = s.user_id AND u.is_active
JOIN directory.credentials c ON c.user_id = u.id
WHERE s.token_hash = :token_hash
""")


@dataclass(frozen=True)
class Session:
    """A session as it is found by its token, with the person behind it as they are now."""

    id: int
    user_id: int
    role: Role
    name: str
    timezone: str
    last_seen_at: datetime
    expires_at: datetime


class OwnSession(BaseModel):
    """A session as its owner sees it: enough to know one's own devices, and a stranger's."""

    id: int
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment
    ip: str | None
    user_agent: str | None
    is_current: bool


async def open_session(
    tx: AsyncConnection, by: Author, *, password_hash: str, token_hash: bytes, user_agent: str | None
) -> datetime | None:
    """A new session of the author; when it ends at the latest.

    None when they are not active any more, or their password is not the one behind `password_hash` any more: it was
    checked before this transaction. The lock makes a deactivation or a new password wait, so that it finds the session
    and ends it; a share lock would do for that, but two logins of one person could then not both note their time.
    """
    query = text("""
        INSERT INTO directory.sessions (user_id, token_hash, created_at, last_seen_at, expires_at, ip, user_agent)
        SELECT u.id, :token_hash, :at, :at, :expires_at, :ip, :user_agent
        FROM directory.users u JOIN directory.credentials c ON c.user_id = u.id
        WHERE u.id = :user_id AND u.is_active AND c.password_hash = :password_hash
        FOR NO KEY UPDATE
        RETURNING expires_at
    """)
    found: datetime | None = await tx.scalar(
        query,
        {
            "user_id": by.user_id,
            "password_hash": password_hash,
            "token_hash": token_hash,
            "at": by.at,
            "expires_at": by.at + LONGEST,
            "ip": by.ip,
            "user_agent": user_agent,
        },
    )
    await _forget_old(tx, by)
    return found


async def find_session(tx: AsyncConnection, token_hash: bytes) -> Session | None:
    """The session with this token, over or not, of somebody who is active and has a password."""
    row = (await tx.execute(_FOUND, {"token_hash": token_hash})).one_or_none()
    if row is None:
        return None
    return Session(row.id, row.user_id, Role(row.role), row.name, row.timezone, row.last_seen_at, row.expires_at)


async def note_seen(tx: AsyncConnection, session_id: int, at: datetime) -> None:
    """Record that it was used."""
    query = text("UPDATE directory.sessions SET last_seen_at = :at WHERE id = :session_id AND last_seen_at < :at")
    await tx.execute(query, {"session_id": session_id, "at": at})


async def renew_session(tx: AsyncConnection, session_id: int, token_hash: bytes) -> datetime | None:
    """Give it another token: the one before is worth nothing now. When it ends, or None when it is not there."""
    query = text("""
        UPDATE directory.sessions SET token_hash = :token_hash WHERE id = :session_id RETURNING expires_at
    """)
    ends: datetime | None = await tx.scalar(query, {"session_id": session_id, "token_hash": token_hash})
    return ends


async def end_session(tx: AsyncConnection, session_id: int, *, user_id: int) -> bool:
    """End one of this person's sessions; whether there was such a one."""
    query = text("DELETE FROM directory.sessions WHERE id = :session_id AND user_id = :user_id")
    return (await tx.execute(query, {"session_id": session_id, "user_id": user_id})).rowcount > 0


async def end_session_of_token(tx: AsyncConnection, token_hash: bytes) -> None:
    """End the session with this token, if there is one."""
    await tx.execute(text("DELETE FROM directory.sessions WHERE token_hash = :token_hash"), {"token_hash": token_hash})


async def end_sessions(tx: AsyncConnection, user_id: int, *, but: int | None = None) -> None:
    """End all of somebody's sessions, but for one."""
    query = text("DELETE FROM directory.sessions WHERE user_id = :user_id AND id IS DISTINCT FROM :but")
    await tx.execute(query, {"user_id": user_id, "but": but})


async def list_sessions(
    tx: AsyncConnection, user_id: int, *, current: int | None, at: datetime, limit: int, after: int
) -> list[OwnSession]:
    """Somebody's sessions that are not over, in order of id."""
    query = text("""
        SELECT id, created_at, last_seen_at, expires_at, ip, user_agent, id IS NOT DISTINCT FROM :current AS is_current
        FROM directory.sessions
        WHERE user_id = :user_id AND id > :after AND expires_at > :at AND last_seen_at > :seen_after
        ORDER BY id LIMIT :limit
    """)
    values = {"user_id": user_id, "current": current, "after": after, "limit": limit, "at": at}
    rows = (await tx.execute(query, {**values, "seen_after": at - IDLE})).mappings()
    return [OwnSession.model_validate(dict(row)) for row in rows]


async def _forget_old(tx: AsyncConnection, by: Author) -> None:
    """Delete the author's sessions that are over, and their oldest ones when they have too many."""
    query = text("""
        DELETE FROM directory.sessions
        WHERE user_id = :user_id AND (expires_at <= :at OR last_seen_at <= :seen_before OR id NOT IN (
            SELECT id FROM directory.sessions WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
        ))
    """)
    values = {"user_id": by.user_id, "at": by.at, "seen_before": by.at - IDLE, "most": PER_PERSON}
    await tx.execute(query, values)
