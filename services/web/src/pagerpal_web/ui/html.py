"""How does a page become HTML? Templates with every value escaped, a strict policy, and the same frame around each.

The Content Security Policy allows no script, style or connection but our own files and routes, and nothing inline: a
title that gets past the escaping still runs nothing (security rule S19).
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pagerpal_common import http
from pagerpal_common.errors import PagerPalError, Refusal
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pagerpal_web.context import Context
from pagerpal_web.storage.glance import Glance, glance
from pagerpal_web.storage.sessions import Session
from pagerpal_web.ui import words
from pagerpal_web.ui.static import address

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With `no-referrer` browsers say `Origin: null` of our own forms (Fetch Standard, "append a request `Origin`").
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}

SAID = "pagerpal_said"
"""The cookie with what the next page has to say."""

SAID_SECONDS = 60

TITLES: Mapping[int, str] = {
    400: "That did not work",
    401: "Log in first",
    403: "You do not have permission",
    404: "Page not found",
    405: "That did not work",
    409: "That is not possible right now",
    413: "That is too large",
    415: "That cannot be read",
    422: "Something is not valid",
    429: "Too many attempts",
    500: "Something went wrong",
    503: "PagerPal is busy or unavailable",
}
"""What the page of a refusal is called, by its status."""


@dataclass(frozen=True)
class Visitor:
    """Who looks, and by which request."""

    request: Request
    session: Session | None


_environment = Environment(
    loader=PackageLoader("pagerpal_web.ui"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,  # a template is a part of the program: nobody looks at each use whether its file has changed
)
_environment.globals["static"] = address
_environment.filters.update(words.FILTERS)


async def render(ctx: Context, visitor: Visitor, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page: the template with these values, in the frame of all pages.

    What was said with the redirect to it (`redirect`) stands above it, once.

    Args:
        values: by the names in the template; `glance` too, where the page has counted what is open already.

    Raises:
        Unavailable: the database is away.
    """
    seen: Glance | None = values.get("glance")
    if visitor.session is not None and seen is None:
        async with ctx.db.begin() as tx:
            seen = await glance(tx)
    said = _said(ctx, visitor.request)
    html = _fill(ctx, visitor, template, {**values, "glance": seen, "said": said})
    response = HTMLResponse(html, status, HEADERS)
    if SAID in visitor.request.cookies:
        response.delete_cookie(SAID, path="/", secure=ctx.settings.is_secure, httponly=True, samesite="lax")
    return response


def render_part(ctx: Context, visitor: Visitor, template: str, **values: Any) -> HTMLResponse:
    """A part of a page, for htmx to put in its place; it says of when it is."""
    return HTMLResponse(_fill(ctx, visitor, template, values), 200, HEADERS)


async def refusal(ctx: Context, visitor: Visitor, error: PagerPalError) -> Response:
    """The page that says why not. It needs no database where that is what is away."""
    status = http.status_of(error)
    detail = error.detail if isinstance(error, Refusal) else "Nothing is lost. Load this page again in a moment."
    return error_page(ctx, visitor, status, detail)


def error_page(ctx: Context, visitor: Visitor, status: int, detail: str) -> Response:
    """The page with this status that says this."""
    values = {"title": TITLES[status], "detail": detail, "glance": None, "said": None}
    html = _fill(ctx, visitor, "refusal.html", values)
    retry = {"Retry-After": http.RETRY_AFTER_SECONDS} if status == 503 else {}
    return HTMLResponse(html, status, {**HEADERS, **retry})


def status_of(refused: PagerPalError | None) -> int:
    """Of a page that shows what was refused beside the form it was typed into; 200 when nothing was."""
    return 200 if refused is None else http.status_of(refused)


def redirect(ctx: Context, path: str, said: str = "") -> Response:
    """On to another page of ours after something was done, which says this on top."""
    response = RedirectResponse(path, 303)
    if said:
        text = urlsafe_b64encode(said[:300].encode()).decode()
        value = f"{text}.{_seal(ctx.form_keys[0], text)}"
        response.set_cookie(
            SAID, value, SAID_SECONDS, path="/", secure=ctx.settings.is_secure, httponly=True, samesite="lax"
        )
    return response


def form_token(key: bytes, session_id: int) -> str:
    """What is in every form of somebody logged in, and nobody else can know."""
    return _seal(key, f"form {session_id}")


def _fill(ctx: Context, visitor: Visitor, template: str, values: Mapping[str, Any]) -> str:
    session = visitor.session
    now: datetime = ctx.now()
    return _environment.get_template(template).render(
        me=session,
        csrf=None if session is None else form_token(ctx.form_keys[0], session.id),
        path=visitor.request.scope["path"],
        now=now,
        timezone="UTC" if session is None else session.timezone,
        is_delayed=not ctx.bus.is_connected(),
        **values,
    )


def _said(ctx: Context, request: Request) -> str | None:
    text, _, seal = request.cookies.get(SAID, "").partition(".")
    if not any(hmac.compare_digest(seal.encode(), _seal(key, text).encode()) for key in ctx.form_keys):
        return None
    return urlsafe_b64decode(text).decode()


def _seal(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()
