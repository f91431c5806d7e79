"""How does a browser stay logged in? A signed cookie names a row; whoever ends the row ends the session.

The cookie holds a random number, of which the row has only the digest. The signature keeps guesses from the database;
it is the row that is believed, and it is read at each request.
"""

import hashlib
import secrets
from dataclasses import dataclass

from pagerpal_common.errors import Unauthenticated
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from pagerpal_web.context import Context
from pagerpal_web.domain.session import SEEN_EVERY, is_over
from pagerpal_web.storage import sessions as storage
from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.sessions import Session
from pagerpal_web.tokens import Claims

COOKIE = "pagerpal_session"
AUDIENCE = "pagerpal-session"

LONGEST_USER_AGENT = 200


@dataclass(frozen=True)
class Opened:
    """A cookie for whoever has just logged in, or changed their password."""

    token: str
    seconds: int

    def put_into(self, response: Response, *, is_secure: bool) -> None:
        """Hand it to the browser. It is sent with the requests of our own pages, and readable by no script."""
        response.set_cookie(COOKIE, self.token, self.seconds, path="/", secure=is_secure, httponly=True, samesite="lax")
        response.headers["Cache-Control"] = "no-store"


def take_from(response: Response, *, is_secure: bool) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(COOKIE, path="/", secure=is_secure, httponly=True, samesite="lax")


async def open_session(
    ctx: Context, tx: AsyncConnection, request: Request, by: Author, *, password_hash: str
) -> Opened:
    """Log the author in, with a number that is new; whoever was logged in with this browser is no longer.

    Raises:
        Unauthenticated: they were deactivated, or their password changed, since it was checked.
    """
    number = secrets.token_urlsafe(32)
    expires_at = await storage.open_session(
        tx, by, password_hash=password_hash, token_hash=_digest(number), user_agent=_user_agent(request)
    )
    if expires_at is None:
        raise Unauthenticated("wrong email address or password")
    before = _token_hash(ctx, request)
    if before is not None:
        await storage.end_session_of_token(tx, before)
    token = ctx.session_tokens.sign(Claims(str(by.user_id), number), at=by.at, until=expires_at)
    return Opened(token, int((expires_at - by.at).total_seconds()))


async def renew_session(ctx: Context, tx: AsyncConnection, by: Author, session_id: int) -> Opened | None:
    """A new number for a session that goes on; None when it was ended meanwhile."""
    number = secrets.token_urlsafe(32)
    expires_at = await storage.renew_session(tx, session_id, _digest(number))
    if expires_at is None:
        return None
    token = ctx.session_tokens.sign(Claims(str(by.user_id), number), at=by.at, until=expires_at)
    return Opened(token, int((expires_at - by.at).total_seconds()))


async def session_of(ctx: Context, request: Request) -> Session:
    """The session that the request's cookie names.

    Raises:
        Unauthenticated: it is not ours, it is over, or it was ended.
    """
    token_hash, now = _token_hash(ctx, request), ctx.now()
    if token_hash is None:
        raise Unauthenticated("the session is over: log in again")
    async with ctx.db.begin() as tx:
        session = await storage.find_session(tx, token_hash)
        if session is None or is_over(session.last_seen_at, session.expires_at, now):
            raise Unauthenticated("the session is over: log in again")
        if now - session.last_seen_at >= SEEN_EVERY:
            await storage.note_seen(tx, session.id, now)
    return session


def _token_hash(ctx: Context, request: Request) -> bytes | None:
    claims = ctx.session_tokens.read(request.cookies.get(COOKIE, ""), at=ctx.now())
    return None if claims is None else _digest(claims.number)


def _digest(number: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(number.encode()).digest()


def _user_agent(request: Request) -> str | None:
    given = "".join(character for character in request.headers.get("user-agent", "") if character.isprintable())
    return given[:LONGEST_USER_AGENT] or None
