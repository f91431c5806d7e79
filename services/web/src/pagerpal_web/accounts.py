"""Who asks? HTTP Basic: the account's email address and password (RFC 7617, in UTF-8)."""

import base64
from datetime import timedelta

from pagerpal_common.errors import Unauthenticated
from pagerpal_common.http import Account
from starlette.requests import Request

from pagerpal_web.context import Context
from pagerpal_web.storage import users

NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_login_at` is: scripts call many times a second."""


async def authenticate(ctx: Context, request: Request) -> Account:
    """The account behind the request's credentials. Somebody unknown, deactivated or without a password costs and
    reads the same as a wrong password.

    Raises:
        Unauthenticated: there are no credentials, or wrong ones.
        Unavailable: the database is away, or too many passwords are being checked.
    """
    email, password = _credentials(request)
    async with ctx.db.begin() as tx:
        login = await users.find_login(tx, email)
    now = ctx.now()
    is_right = await ctx.logins.are_right(email, password, login.password_hash if login else None, now)
    if login is None or not is_right:
        raise Unauthenticated("wrong email address or password")
    if login.last_login_at is None or login.last_login_at <= now - NOTED_EVERY:
        async with ctx.db.begin() as tx:
            await users.note_login(tx, login.user_id, now)
    return Account(login.user_id, login.role)


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthenticated("an account is required")
    try:
        email, _, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise Unauthenticated("the credentials cannot be read") from None
    # What cannot be in the database is nobody's address.
    return (email if email.isprintable() else ""), password
