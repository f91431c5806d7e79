"""People, their logins, and who is left to administer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pagerpal_common.errors import Conflict, Invalid
from pagerpal_common.schema.directory import credentials, users
from pagerpal_common.vocabulary import Role
from pydantic import Field
from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.audit import Action, Author, Event, record
from pagerpal_web.storage.resources import Moment, Resource, View, get_row, record_change, update_row
from pagerpal_web.storage.sessions import end_sessions


class User(View):
    """A person. The password never leaves the database, not even as its hash."""

    name: str = Field(examples=["Ana"])
    email: str
    role: Role = Field(examples=["responder"])
    phone: str | None
    timezone: str
    is_active: bool
    has_password: bool
    last_login_at: Moment | None
    created_at: Moment


USER_COLUMNS = {name: users.c[name] for name in User.model_fields if name != "has_password"} | {
    "has_password": exists().where(credentials.c.user_id == users.c.id)
}

USERS = Resource(
    table=users,
    view=User,
    query=select(*(column.label(name) for name, column in USER_COLUMNS.items())),
    ids={"user_id": users.c.id},
)


@dataclass(frozen=True)
class Login:
    """What is needed to let an active person in."""

    user_id: int
    email: str
    role: Role
    password_hash: str
    last_login_at: datetime | None


async def find_login(tx: AsyncConnection, email: str) -> Login | None:
    """The login of the active user with this address, in whatever case; None without a password."""
    query = text("""
        SELECT u.id, u.email, u.role, c.password_hash, u.last_login_at
        FROM directory.users u JOIN directory.credentials c ON c.user_id = u.id
        WHERE lower(u.email) = lower(:email) AND u.is_active
    """)
    row = (await tx.execute(query, {"email": email})).one_or_none()
    return None if row is None else Login(row.id, row.email, Role(row.role), row.password_hash, row.last_login_at)


async def find_id(tx: AsyncConnection, email: str) -> int | None:
    """Whose address this is, in whatever case, whether they may log in or not."""
    query = text("SELECT id FROM directory.users WHERE lower(email) = lower(:email)")
    found: int | None = await tx.scalar(query, {"email": email})
    return found


async def update_user(tx: AsyncConnection, user: User, changes: Mapping[str, Any], by: Author) -> User:
    """Change somebody. A new role and a deactivation end their sessions; a deactivation ends their calendar feeds, too.

    Raises:
        Conflict: the email address is another one's.
    """
    changed = await update_row(tx, USERS, user.id, changes, by)
    await _follow_change(tx, user, changed, by)
    return changed


async def _follow_change(tx: AsyncConnection, before: User, after: User, by: Author) -> None:
    if before.role != after.role:
        roles = {"before": {"role": before.role}, "after": {"role": after.role}}
        await record(tx, by, Event(Action.ROLE_CHANGED, USERS.kind, after.id, **roles))
    if before.role != after.role or not after.is_active:
        await end_sessions(tx, after.id)
    if not after.is_active:
        await tx.execute(text("DELETE FROM directory.calendar_feeds WHERE user_id = :id"), {"id": after.id})


async def note_login(tx: AsyncConnection, user_id: int, at: datetime) -> None:
    """Record that they came in."""
    query = text("UPDATE directory.users SET last_login_at = :at WHERE id = :user_id")
    await tx.execute(query, {"user_id": user_id, "at": at})


async def check_active(tx: AsyncConnection, user_id: int) -> None:
    """Raises Invalid unless there is such a user and they are active."""
    query = text("SELECT is_active FROM directory.users WHERE id = :user_id")
    is_active = (await tx.execute(query, {"user_id": user_id})).scalar_one_or_none()
    if is_active is None:
        raise Invalid(f"there is no user {user_id}")
    if not is_active:
        raise Invalid(f"user {user_id} is not active")


async def save_password(
    tx: AsyncConnection, user_id: int, password_hash: str | None, by: Author, *, keep_session: int | None = None
) -> None:
    """Set this password, or with None take the login away; log that, and end their sessions but for one."""
    if password_hash is None:
        query = text("DELETE FROM directory.credentials WHERE user_id = :user_id")
        was_changed = (await tx.execute(query, {"user_id": user_id})).rowcount > 0
    else:
        query = text("""
            INSERT INTO directory.credentials (user_id, password_hash, changed_at) VALUES (:user_id, :hash, :at)
            ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at
        """)
        await tx.execute(query, {"user_id": user_id, "hash": password_hash, "at": by.at})
        was_changed = True
    if was_changed:
        await end_sessions(tx, user_id, but=keep_session)
        data = {"has_password": password_hash is not None}
        await record(tx, by, Event(Action.PASSWORD_CHANGED, USERS.kind, user_id, data=data))


async def lock_password(tx: AsyncConnection, user_id: int, password_hash: str) -> bool:
    """Whether this is what is stored of their password; then nobody else can change it until the transaction ends."""
    query = text("""
        SELECT user_id FROM directory.credentials
        WHERE user_id = :user_id AND password_hash = :password_hash FOR UPDATE
    """)
    found = await tx.execute(query, {"user_id": user_id, "password_hash": password_hash})
    return found.one_or_none() is not None


async def replace_hash(tx: AsyncConnection, user_id: int, *, old: str, new: str) -> bool:
    """Keep the same password under newer parameters; False when it has been changed meanwhile."""
    query = text("""
        UPDATE directory.credentials SET password_hash = :new WHERE user_id = :user_id AND password_hash = :old
    """)
    return (await tx.execute(query, {"user_id": user_id, "old": old, "new": new})).rowcount > 0


async def lock_admins(tx: AsyncConnection) -> None:
    """Hold every admin's row until the transaction ends, so that two admins cannot demote each other at once."""
    await tx.execute(text("SELECT id FROM directory.users WHERE role = 'admin' ORDER BY id FOR UPDATE"))


async def check_an_admin_is_left(tx: AsyncConnection) -> None:
    """Raises Conflict when nobody is left who can log in as an admin: nobody could ever change anything again."""
    query = text("""
        SELECT EXISTS (
            SELECT FROM directory.users u JOIN directory.credentials c ON c.user_id = u.id
            WHERE u.role = 'admin' AND u.is_active
        )
    """)
    if not (await tx.execute(query)).scalar_one():
        raise Conflict("this is the last admin who can log in")


async def save_admin(tx: AsyncConnection, *, email: str, name: str | None, by: Author) -> tuple[int, bool]:
    """Make sure that an active admin with this address is there, and log that; their id, and whether they are new.

    Somebody who was there keeps their name unless one is given. Nobody can become the first admin any more.
    """
    before_id = await find_id(tx, email)
    before = None if before_id is None else await get_row(tx, USERS, {"user_id": before_id}, lock=True)
    query = text("""
        INSERT INTO directory.users (name, email, role, timezone, created_at)
        VALUES (coalesce(CAST(:name AS text), split_part(:email, '@', 1)), :email, 'admin', 'UTC', :at)
        ON CONFLICT (lower(email)) DO UPDATE
        SET role = 'admin', is_active = true, name = coalesce(CAST(:name AS text), users.name)
        RETURNING id
    """)
    user_id: int = (await tx.execute(query, {"email": email, "name": name, "at": by.at})).scalar_one()
    after = await get_row(tx, USERS, {"user_id": user_id})
    await record_change(tx, USERS, before, after, by)
    if before is not None:
        await _follow_change(tx, before, after, by)
    await claim_first_admin(tx, by.at)
    return user_id, before is None


async def claim_first_admin(tx: AsyncConnection, at: datetime) -> bool:
    """Leave the mark that an admin has been made; whether this is the transaction that leaves it.

    Another one that is about to is waited for: only one of them can commit.
    """
    query = text("""
        INSERT INTO directory.first_admin (is_made, made_at) VALUES (true, :at)
        ON CONFLICT DO NOTHING RETURNING is_made
    """)
    return await tx.scalar(query, {"at": at}) is not None


async def has_admin(tx: AsyncConnection) -> bool:
    """Whether there is an admin, however they were made, active or not."""
    return bool(await tx.scalar(text("SELECT EXISTS (SELECT FROM directory.users WHERE role = 'admin')")))
