"""From a table of pages to routes: who looks, what may they do, and what does a browser show when it cannot be done?

A page differs from a route of the API in three ways. Whoever is not logged in is sent to log in. What changes something
comes from a form of ours, which has a token in it. And what is refused is a page, too.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from pagerpal_common.errors import Forbidden, NotFound, PagerPalError, Unauthenticated, Unavailable
from pagerpal_common.http import Account, Call, Endpoint, may_as
from pagerpal_common.vocabulary import Role
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pagerpal_web.accounts import check_origin
from pagerpal_web.context import Context
from pagerpal_web.one_transaction import in_one_transaction
from pagerpal_web.sessions import COOKIE, session_of
from pagerpal_web.storage.sessions import Session
from pagerpal_web.ui.forms import Form, read_form
from pagerpal_web.ui.html import Visitor, error_page, form_token, refusal


@dataclass(frozen=True)
class Visit:
    """One request for a page, checked."""

    request: Request
    session: Session | None
    ids: Mapping[str, int]
    form: Form

    @property
    def query(self) -> QueryParams:
        """What stands behind the question mark."""
        return self.request.query_params

    @property
    def me(self) -> Session:
        """Who looks, on a page that demands a login."""
        if self.session is None:
            raise Unauthenticated("an account is required")
        return self.session

    @property
    def visitor(self) -> Visitor:
        """What every page needs to know of the request."""
        return Visitor(self.request, self.session)

    @property
    def is_partial(self) -> bool:
        """Whether htmx asks for a part of a page that is shown already."""
        return "hx-request" in self.request.headers

    def may(self, role: Role) -> bool:
        """Whether who looks may do what this role may."""
        return may_as(self.me.role, role)

    def call(self, body: Any = None, **ids: int) -> Call[Any]:
        """The same request as one of the API, for the handler that does what the page promises."""
        account = None if self.session is None else Account(self.me.user_id, self.me.role, self.me.id)
        return Call(self.request, account, ids or self.ids, body)


@dataclass(frozen=True)
class Page:
    """One row of the table of pages."""

    method: str
    path: str
    handler: Callable[[Context, Visit], Awaitable[Response]]
    allow: Role | None = Role.VIEWER
    """The least role that may see or do it; None when nobody needs to be logged in."""
    waits: bool = False
    """Whether looking at it waits for more than the database: it holds no transaction meanwhile."""


def endpoint(page: Page) -> Endpoint:
    """The page as a row of the routes. What is only looked at is read in one transaction, after that of the session."""

    async def handler(ctx: Context, call: Call[None]) -> Response:
        try:
            visit = await _visit(ctx, page, call)
            if page.method != "GET" or page.waits:
                return await page.handler(ctx, visit)
            async with in_one_transaction(ctx) as its:
                return await page.handler(its, visit)
        except PagerPalError as error:
            return await _instead(ctx, call.request, error)

    handler.__name__ = f"page_{page.handler.__name__}"
    return Endpoint(page.method, page.path, handler, None, gives=Response)


async def _visit(ctx: Context, page: Page, call: Call[None]) -> Visit:
    """Who looks at what.

    Raises:
        Unauthenticated: a login is needed.
        Forbidden: the role is not enough, or the form is not ours.
        TooLarge, Unprocessable, Unsupported, Unavailable: as of `read_form`.
    """
    session = None
    if page.allow is not None:
        session = await session_of(ctx, call.request)
        if not may_as(session.role, page.allow):
            raise Forbidden(f"This needs the role {page.allow}. Yours is {session.role}.")
    if page.method == "GET":
        return Visit(call.request, session, call.ids, Form({}))
    check_origin(ctx, call.request)
    form = await read_form(call.request)
    if session is not None:
        _check_token(ctx, session, form.text("csrf") or call.request.headers.get("x-csrf-token", ""))
    return Visit(call.request, session, call.ids, form)


def _check_token(ctx: Context, session: Session, given: str) -> None:
    """Another site's page can have a browser send a form here, with its cookie; it cannot know what is in ours."""
    known = [form_token(key, session.id) for key in ctx.form_keys]
    if not any(hmac.compare_digest(given.encode(), token.encode()) for token in known):
        raise Forbidden("This form is not from this login. Load the page again, and then send it again.")


async def _known(ctx: Context, request: Request) -> Session | None:
    """Who looks at a refusal, where that can be found out: the page around it is then the usual one."""
    if COOKIE not in request.cookies:
        return None
    try:
        return await session_of(ctx, request)
    except PagerPalError:
        return None


async def show_error(ctx: Context, request: Request, status: int, detail: str) -> Response:
    """What a browser shows of what no route answers. Where the trouble is ours, nobody is looked up: that may be it."""
    session = await _known(ctx, request) if status < 500 else None
    return error_page(ctx, Visitor(request, session), status, detail)


async def _instead(ctx: Context, request: Request, error: PagerPalError) -> Response:
    """What a browser shows when a page cannot be had. For a part that cannot be had now htmx leaves what is there, with
    whatever is being typed beside it, and the page says how old it is."""
    is_a_part = request.method == "GET" and "hx-request" in request.headers
    if is_a_part and isinstance(error, Unauthenticated | Unavailable):
        return Response(status_code=204)
    if isinstance(error, Unauthenticated):
        return _to_login(request)
    return await refusal(ctx, Visitor(request, await _known(ctx, request)), error)


def _to_login(request: Request) -> Response:
    """To the login, and from there back to the page; after what was sent in vain, to the page that it was sent from."""
    if request.method != "GET":
        sent_from = urlsplit(request.headers.get("referer", "")).path
        return RedirectResponse(f"/login?next={quote(sent_from, safe='')}" if sent_from else "/login", 303)
    query = request.scope["query_string"].decode("latin-1")
    here = request.scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)


def not_found(what: str) -> NotFound:
    """A page of something that is not there."""
    return NotFound(f"There is no such {what}.")
