"""One's own account, `/api/v1/auth`: its name, phone and zone, its password, its sessions. For nobody else's: no acting
as somebody here."""

from pagerpal_common.errors import Invalid, NotFound, Unauthenticated
from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.vocabulary import Role
from pydantic import Field
from starlette.responses import Response

from pagerpal_web.accounts import note_failure
from pagerpal_web.api.rows import Page, changes, subset_of
from pagerpal_web.callers import author_of, counted_address_of
from pagerpal_web.context import Context
from pagerpal_web.domain.attempts import Guessing
from pagerpal_web.fields import Name, Password, Phone, Timezone, TypedPassword
from pagerpal_web.sessions import renew_session, take_from
from pagerpal_web.storage import sessions as storage
from pagerpal_web.storage import users
from pagerpal_web.storage.audit import Action, Event, record
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.sessions import OwnSession
from pagerpal_web.storage.users import USERS, User

WRONG = "the current password is another one"


class NewPassword(Body):
    """The password of now, which whoever has merely found an unlocked screen does not know, and the one to be."""

    current_password: TypedPassword
    new_password: Password


class NewAccount(Body):
    """What is one's own to say. With another address or role one could be somebody else, or more."""

    name: Name = Field(examples=["Ana"])
    phone: Phone | None = None
    timezone: Timezone = "UTC"


ChangedAccount = subset_of(NewAccount)


async def update_account(ctx: Context, call: Call[Body]) -> User:
    """Change one's own name, phone or time zone. Another phone is one that is not verified."""
    by, wanted = author_of(ctx, call), changes(call)
    async with ctx.db.begin() as tx:
        user = await get_row(tx, USERS, {"user_id": call.actor.user_id}, lock=True)
        return await users.update_user(tx, user, wanted, by)


async def change_password(ctx: Context, call: Call[NewPassword]) -> Response:
    """Everything that the old one opened ends at once, but for the session that asks: it goes on under a new number."""
    by = author_of(ctx, call)
    async with ctx.db.begin() as tx:
        user = await get_row(tx, USERS, {"user_id": call.actor.user_id})
        login = await users.find_login(tx, user.email)
    if login is None:
        raise Unauthenticated("an account is required")
    guessing = Guessing(login.user_id, counted_address_of(call.request))
    current = call.body.current_password.get_secret_value()
    if not await ctx.logins.are_right(user.email, current, login.password_hash, guessing=guessing, at=by.at):
        await note_failure(ctx, call.request, user.email, by="password change", actor=by.user_id)
        raise Invalid(WRONG)
    new_hash = await ctx.passwords.hash_new(call.body.new_password, own=(user.email, user.name), field="new_password")
    session_id, opened = call.actor.session_id, None
    async with ctx.db.begin() as tx:
        if not await users.lock_password(tx, user.id, login.password_hash):
            raise Invalid(WRONG)  # somebody else has just changed it, and perhaps because of whoever asks here
        await users.save_password(tx, user.id, new_hash, by, keep_session=session_id)
        if session_id is not None:
            opened = await renew_session(ctx, tx, by, session_id)
    response = Response(status_code=204)
    if opened is not None:
        opened.put_into(response, is_secure=ctx.settings.is_secure)
    return response


async def list_sessions(ctx: Context, call: Call[Page]) -> list[OwnSession]:
    """Where one is logged in, in order of id; `is_current` is the one that asks."""
    async with ctx.db.begin() as tx:
        return await storage.list_sessions(
            tx,
            call.actor.user_id,
            current=call.actor.session_id,
            at=ctx.now(),
            limit=call.body.limit,
            after=call.body.after,
        )


async def end_session(ctx: Context, call: Call[None]) -> Response:
    """Log out somewhere else, or here."""
    session_id = call.ids["session_id"]
    async with ctx.db.begin() as tx:
        if not await storage.end_session(tx, session_id, user_id=call.actor.user_id):
            raise NotFound(f"there is no session {session_id}")
        event = Event(Action.SESSION_ENDED, "session", session_id)
        await record(tx, author_of(ctx, call), event)
    response = Response(status_code=204)
    if session_id == call.actor.session_id:
        take_from(response, is_secure=ctx.settings.is_secure)
    return response


_SESSIONS = "/api/v1/auth/sessions"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("PATCH", "/api/v1/auth/account", update_account, Role.VIEWER, ChangedAccount, gives=User),
    Endpoint("POST", "/api/v1/auth/password", change_password, Role.VIEWER, NewPassword, 204, refuses=(400, 429)),
    Endpoint("GET", _SESSIONS, list_sessions, Role.VIEWER, Page, gives=list[OwnSession]),
    Endpoint("DELETE", _SESSIONS + "/{session_id:int}", end_session, Role.VIEWER, status=204, refuses=(404,)),
)
