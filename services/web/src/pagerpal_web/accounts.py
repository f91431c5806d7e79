"""Who asks? Somebody with a session's cookie, or with an account's email address and password (HTTP Basic, RFC 7617).

Both are brought along by a browser whoever's page makes it ask, so what comes from another site's page is refused.
"""

import base64
from dataclasses import replace
from datetime import timedelta

from pagerpal_common.errors import Forbidden, Unauthenticated, Unsupported
from pagerpal_common.http import Account
from starlette.requests import Request

from pagerpal_web.callers import author, counted_address_of
from pagerpal_web.context import Context
from pagerpal_web.domain.attempts import Guessing
from pagerpal_web.domain.origins import is_from_elsewhere
from pagerpal_web.passwords import is_outdated
from pagerpal_web.sessions import COOKIE, session_of
from pagerpal_web.storage import users
from pagerpal_web.storage.audit import Action, Event, record
from pagerpal_web.storage.users import USERS, Login

NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_login_at` is: scripts call many times a second."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 §9.2.1)."""

WRONG = "wrong email address or password"


async def authenticate(ctx: Context, request: Request) -> Account:
    """The account behind the request's credentials; a password goes before a cookie.

    Raises:
        Unauthenticated: there are no credentials, or wrong ones.
        Forbidden: a browser says that another site's page sent this.
        Unsupported: a cookie came along with a body that any page could have sent.
        TooManyTries: too many passwords from there were wrong of late.
        Unavailable: the database is away, or too many passwords are being checked.
    """
    if "authorization" in request.headers:
        check_origin(ctx, request)
        return await _by_password(ctx, request)
    if COOKIE not in request.cookies:
        raise Unauthenticated("an account is required")
    check_origin(ctx, request)
    session = await session_of(ctx, request)
    _check_content(request)
    return Account(session.user_id, session.role, session.id)


def check_origin(ctx: Context, request: Request) -> None:
    """Raises Forbidden when another site's page would change something here in somebody's name."""
    if request.method not in SAFE and is_from_elsewhere(request.headers, ctx.settings.own_origin):
        raise Forbidden("this comes from another site's page")


def _check_content(request: Request) -> None:
    """A page of another site can send a form, or no body, without the browser asking us first; it cannot send JSON,
    nor a DELETE (Fetch Standard, §2.2.2: CORS-safelisted)."""
    is_api = request.scope["path"].startswith("/api/")
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    has_body = "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    is_plain_delete = request.method == "DELETE" and not has_body
    if is_api and request.method not in SAFE and not is_json and not is_plain_delete:
        raise Unsupported("with a session's cookie the content type must be application/json")


async def check_password(ctx: Context, request: Request, email: str, password: str, *, by: str) -> Login:
    """The login that these credentials open. Somebody unknown, deactivated or without a password costs and reads the
    same as a wrong password; each failure is in the audit log, as far as `ctx.failures` goes.

    Raises:
        Unauthenticated: they open none.
        TooManyTries: too many from there were wrong of late.
        Unavailable: too many passwords are being checked.
    """
    async with ctx.db.begin() as tx:
        login = await users.find_login(tx, email)
    now, stored = ctx.now(), login.password_hash if login else None
    guessing = Guessing(login.user_id if login else email.lower()[:254], counted_address_of(request))
    is_right = await ctx.logins.are_right(email, password, stored, guessing=guessing, at=now)
    if login is None or not is_right:
        await note_failure(ctx, request, email, by=by)
        raise Unauthenticated(WRONG)
    if is_outdated(login.password_hash):
        login = await _rehashed(ctx, login, password)
    return login


async def note_failure(ctx: Context, request: Request, email: str | None, *, by: str, actor: int | None = None) -> None:
    """Write down that somebody did not get in: whose account it was when it is one, and never what they typed."""
    skipped = ctx.failures.spend(ctx.now())
    if skipped is None:
        return
    data = {"by": by} if skipped == 0 else {"by": by, "skipped": skipped}
    async with ctx.db.begin() as tx:
        user_id = None if email is None else await users.find_id(tx, email)
        kind = None if user_id is None else USERS.kind
        await record(tx, author(ctx, request, actor), Event(Action.LOGIN_FAILED, kind, user_id, data=data))


async def _by_password(ctx: Context, request: Request) -> Account:
    email, password = _credentials(request)
    login = await check_password(ctx, request, email, password, by="basic")
    now, caller = ctx.now(), (login.user_id, counted_address_of(request))
    is_new = not ctx.callers.has(caller, now)
    if is_new or login.last_login_at is None or login.last_login_at <= now - NOTED_EVERY:
        async with ctx.db.begin() as tx:
            await users.note_login(tx, login.user_id, now)
            if is_new:
                by = author(ctx, request, login.user_id)
                await record(tx, by, Event(Action.LOGIN, USERS.kind, login.user_id, data={"by": "basic"}))
    if is_new:
        ctx.callers.add(caller, now)
    return Account(login.user_id, login.role)


async def _rehashed(ctx: Context, login: Login, password: str) -> Login:
    """With today's parameters: only now is the password at hand."""
    new = await ctx.passwords.hash(password)
    async with ctx.db.begin() as tx:
        is_kept = await users.replace_hash(tx, login.user_id, old=login.password_hash, new=new)
    return replace(login, password_hash=new) if is_kept else login


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthenticated("an account is required")
    try:
        email, _, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise Unauthenticated("the credentials cannot be read") from None
    return storable(email), password


def storable(email: str) -> str:
    """What cannot be in the database is nobody's address."""
    return email if email.isprintable() else ""
