"""How is the very first admin made? `POST /bootstrap/admin`, once, by whoever may.

On an address that only this machine reaches, whoever comes first may; elsewhere it takes the setup token, which is
printed where PagerPal was started. `scripts/create_admin.py` is the other way, and the only one afterwards.
"""

import hmac
import math
from datetime import timedelta
from typing import Annotated

from pagerpal_common.errors import Conflict, Forbidden, TooManyTries
from pagerpal_common.forms import came_as_form
from pagerpal_common.http import Body, Call, Endpoint, json_response
from pagerpal_common.vocabulary import Role
from pydantic import BaseModel, SecretStr, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pagerpal_web.accounts import check_origin, note_failure
from pagerpal_web.callers import address_of, author, counted_address_of
from pagerpal_web.context import Context
from pagerpal_web.domain.attempts import Guessing
from pagerpal_web.domain.origins import HOME, is_local, is_local_name
from pagerpal_web.fields import Email, Name, Password
from pagerpal_web.sessions import Opened, open_session
from pagerpal_web.storage import users
from pagerpal_web.storage.audit import Action, Event, record
from pagerpal_web.storage.resources import get_row, insert_row
from pagerpal_web.storage.users import USERS, User

CLOSED = "there has been an admin already: scripts/create_admin.py lets one in, or in again"
HAPPENED = "this account is the first admin, and logged in; nobody can become admin this way again"


class FirstAdmin(Body):
    """Who administers PagerPal from now on, as JSON or as a browser's form."""

    email: Email
    password: Password
    name: Name | None = None
    """What stands before the address's @ when there is none."""
    setup_token: Annotated[SecretStr, StringConstraints(max_length=100)] | None = None
    """Printed where PagerPal was started; needed unless only this machine can reach it."""


class Bootstrapped(BaseModel):
    """The first admin, and what has happened. The session is in the cookie."""

    user: User
    detail: str


async def make_first_admin(ctx: Context, call: Call[FirstAdmin]) -> Response:
    """The one who is first is logged in; everybody else is told that it is done."""
    check_origin(ctx, call.request)
    await _check_open(ctx)
    await _check_token(ctx, call.request, call.body.setup_token)
    own = (call.body.email, call.body.name)
    await ctx.passwords.refuse_weak(call.body.password, own=own)
    async with ctx.db.begin() as tx:
        user, opened = await _make(ctx, tx, call)
    response: Response = RedirectResponse(HOME, 303)
    if not came_as_form(call.request):
        response = json_response(Bootstrapped(user=user, detail=HAPPENED), 201)
    opened.put_into(response, is_secure=ctx.settings.is_secure)
    return response


async def _check_open(ctx: Context) -> None:
    """Spares everybody who is late the rest; who is first is decided when the mark is made."""
    async with ctx.db.begin() as tx:
        if await users.has_admin(tx):
            raise Conflict(CLOSED)


async def _make(ctx: Context, tx: AsyncConnection, call: Call[FirstAdmin]) -> tuple[User, Opened]:
    """The password is hashed inside the transaction, for once: the others wait for its end, and then need no hash."""
    nobody = author(ctx, call.request, None)
    if not await users.claim_first_admin(tx, nobody.at) or await users.has_admin(tx):
        raise Conflict(CLOSED)
    password_hash = await ctx.passwords.hash(call.body.password.get_secret_value())
    email = call.body.email
    values = {"email": email, "name": call.body.name or email.partition("@")[0], "role": Role.ADMIN, "timezone": "UTC"}
    user = await insert_row(tx, USERS, {**values, "created_at": nobody.at}, nobody)
    by = author(ctx, call.request, user.id)
    await record(tx, by, Event(Action.BOOTSTRAP, USERS.kind, user.id))
    await users.save_password(tx, user.id, password_hash, by)
    opened = await open_session(ctx, tx, call.request, by, password_hash=password_hash)
    await users.note_login(tx, user.id, by.at)
    await record(tx, by, Event(Action.LOGIN, USERS.kind, user.id, data={"by": "bootstrap"}))
    return await get_row(tx, USERS, {"user_id": user.id}), opened


async def _check_token(ctx: Context, request: Request, given: SecretStr | None) -> None:
    """Raises Forbidden without the right token, where one is needed; TooManyTries after too many wrong ones."""
    if not needs_token(ctx, request):
        return
    if given is None:
        raise Forbidden("this needs the setup token: it is printed where PagerPal was started")
    guessing = Guessing("setup token", counted_address_of(request))
    wait = ctx.attempts.begin(guessing, ctx.now())
    if wait > timedelta(0):
        raise TooManyTries(math.ceil(wait.total_seconds()))
    if not hmac.compare_digest(given.get_secret_value().strip().encode(), ctx.setup_token.encode()):
        await note_failure(ctx, request, None, by="bootstrap")
        raise Forbidden("this is not the setup token: it is printed where PagerPal was started")
    ctx.attempts.was_right(guessing)


def needs_token(ctx: Context, request: Request) -> bool:
    """Whether somebody else than this machine's own people could be asking: over the network, through a proxy that
    nobody told us of, or by way of a page that has given its own name our address."""
    is_proxied = "x-forwarded-for" in request.headers and not ctx.settings.trusted_proxies
    is_near = is_local(address_of(request)) and is_local_name(request.headers.get("host", ""))
    return ctx.settings.is_exposed or is_proxied or not is_near


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/bootstrap/admin",
        make_first_admin,
        None,
        FirstAdmin,
        201,
        gives=Bootstrapped,
        refuses=(303, 403, 409, 429),
        is_form=True,
    ),
)
"""A form is answered 303 instead."""
