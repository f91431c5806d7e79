"""People, their logins, and who is left to administer."""

from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.errors import Conflict, Invalid
from pagerpal_common.schema.directory import credentials, users
from pagerpal_common.vocabulary import Role
from pydantic import Field
from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.resources import Moment, Resource, View


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
    role: Role
    password_hash: str
    last_login_at: datetime | None


async def find_login(tx: AsyncConnection, email: str) -> Login | None:
    """The login of the active user with this address, in whatever case; None without a password."""
    query = text("""
        SELECT u.id, u.role, c.password_hash, u.last_login_at
        FROM directory.users u JOIN directory.credentials c ON c.user_id = u.id
        WHERE lower(u.email) = lower(:email) AND u.is_active
    """)
    row = (await tx.execute(query, {"email": email})).one_or_none()
    return None if row is None else Login(row.id, Role(row.role), row.password_hash, row.last_login_at)


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


async def save_password(tx: AsyncConnection, user_id: int, password_hash: str | None, at: datetime) -> None:
    """Set this password, or with None take the login away."""
    if password_hash is None:
        await tx.execute(text("DELETE FROM directory.credentials WHERE user_id = :user_id"), {"user_id": user_id})
        return
    query = text("""
        INSERT INTO directory.credentials (user_id, password_hash, changed_at) VALUES (:user_id, :password_hash, :at)
        ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at
    """)
    await tx.execute(query, {"user_id": user_id, "password_hash": password_hash, "at": at})


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


async def save_admin(tx: AsyncConnection, *, email: str, name: str | None, at: datetime) -> tuple[int, bool]:
    """Make sure that an active admin with this address is there; their id, and whether they are new.

    Somebody who was there keeps their name unless one is given.
    """
    query = text("""
        INSERT INTO directory.users (name, email, role, timezone, created_at)
        VALUES (coalesce(CAST(:name AS text), split_part(:email, '@', 1)), :email, 'admin', 'UTC', :at)
        ON CONFLICT (lower(email)) DO UPDATE
        SET role = 'admin', is_active = true, name = coalesce(CAST(:name AS text), users.name)
        RETURNING id, xmax = 0 AS is_new -- xmax is set on a row that was there
    """)
    row = (await tx.execute(query, {"email": email, "name": name, "at": at})).one()
    return row.id, row.is_new
