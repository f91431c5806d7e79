"""People: `/api/v1/users`."""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.vocabulary import Role
from pydantic import Field, SecretStr

from pagerpal_web.api.rows import Page, changes, listed, shown, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Email, Name, Password, Phone, Timezone
from pagerpal_web.storage import sessions
from pagerpal_web.storage import users as storage
from pagerpal_web.storage.audit import Action, Event, record
from pagerpal_web.storage.resources import get_row, insert_row
from pagerpal_web.storage.users import USERS, User


class NewUser(Body):
    """A person. Without a password they can be paged but cannot log in."""

    name: Name = Field(examples=["Ana"])
    email: Email
    role: Role = Field(examples=["responder"])
    phone: Phone | None = None
    timezone: Timezone = "UTC"
    password: Password | None = None


ChangedUser = subset_of(NewUser, is_active=bool)
"""`password: null` takes the login away."""


async def list_users(ctx: Context, call: Call[Page]) -> list[User]:
    """List the people, in order of id."""
    return await listed(ctx, USERS, call)


async def get_user(ctx: Context, call: Call[None]) -> User:
    """Show somebody."""
    return await shown(ctx, USERS, call)


async def create_user(ctx: Context, call: Call[NewUser]) -> User:
    """Add somebody; without a password they can be paged but cannot log in."""
    by = author_of(ctx, call)
    password, own = call.body.password, (call.body.email, call.body.name)
    password_hash = None if password is None else await ctx.passwords.hash_new(password, own=own)
    values = {**call.body.model_dump(exclude={"password"}), "created_at": by.at}
    async with ctx.db.begin() as tx:
        user = await insert_row(tx, USERS, values, by)
        await storage.save_password(tx, user.id, password_hash, by)
        return await get_row(tx, USERS, {"user_id": user.id})


async def update_user(ctx: Context, call: Call[Body]) -> User:
    """Change somebody; `password: null` takes their login away.

    A new password, a new role and a deactivation end the person's sessions.
    """
    by, wanted = author_of(ctx, call), changes(call)
    has_password, password = "password" in wanted, wanted.pop("password", None)
    password_hash = None if password is None else await _hash_for(ctx, call, password, wanted)
    async with ctx.db.begin() as tx:
        await storage.lock_admins(tx)
        user = await get_row(tx, USERS, call.ids, lock=True)
        await storage.update_user(tx, user, wanted, by)
        if has_password:
            await storage.save_password(tx, user.id, password_hash, by)
        await storage.check_an_admin_is_left(tx)
        return await get_row(tx, USERS, call.ids)


async def deactivate_user(ctx: Context, call: Call[None]) -> None:
    """Deactivate somebody: people are never lost from history."""
    async with ctx.db.begin() as tx:
        await storage.lock_admins(tx)
        user = await get_row(tx, USERS, call.ids, lock=True)
        await storage.update_user(tx, user, {"is_active": False}, author_of(ctx, call))
        await storage.check_an_admin_is_left(tx)


async def end_sessions(ctx: Context, call: Call[None]) -> None:
    """Log somebody out everywhere. They can log in again: only another password or a deactivation prevents that."""
    async with ctx.db.begin() as tx:
        user = await get_row(tx, USERS, call.ids, lock=True)
        await sessions.end_sessions(tx, user.id)
        await record(tx, author_of(ctx, call), Event(Action.SESSION_ENDED, USERS.kind, user.id, data={"all": True}))


async def _hash_for(ctx: Context, call: Call[Body], password: SecretStr, wanted: Mapping[str, Any]) -> str:
    """Read apart: argon2 is nothing to hold a transaction open for."""
    async with ctx.db.begin() as tx:
        user = await get_row(tx, USERS, call.ids)
    own = (user.email, user.name, wanted.get("email"), wanted.get("name"))
    return await ctx.passwords.hash_new(password, own=own)


ENDPOINTS = (
    Endpoint("POST", "/api/v1/users", create_user, Role.ADMIN, NewUser, 201, User, refuses=(409,)),
    Endpoint("GET", "/api/v1/users", list_users, Role.VIEWER, Page, gives=list[User]),
    Endpoint("GET", "/api/v1/users/{user_id:int}", get_user, Role.VIEWER, gives=User),
    Endpoint("PATCH", "/api/v1/users/{user_id:int}", update_user, Role.ADMIN, ChangedUser, gives=User, refuses=(409,)),
    Endpoint("DELETE", "/api/v1/users/{user_id:int}", deactivate_user, Role.ADMIN, status=204, refuses=(409,)),
    Endpoint("DELETE", "/api/v1/users/{user_id:int}/sessions", end_sessions, Role.ADMIN, status=204),
)
