"""What happens to every request, whichever route it is for? It is numbered, bounded, hardened and logged."""

import os
import re
import time

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pagerpal_common import tracing
from pagerpal_common.ack_links import PREFIX
from pagerpal_common.http import traced
from pagerpal_common.http.answers import is_for_a_browser, on_bug, unavailable
from pagerpal_common.metrics import REQUESTS
from pagerpal_common.service import Show

log = structlog.get_logger(__name__)

REQUEST_ID = "X-Request-ID"

TOO_BUSY = "(too busy)"
"""What is counted instead of a route when a request was turned away before anybody asked which it is for."""

UNDER_WAY_LIMIT = 5_000
"""Requests that one process works on at a time. More are told to come again: what is under way is to be finished."""

CALENDARS = "/calendar/"
"""What the path of somebody's calendar begins with; its secret is the rest."""

SECRET_PATHS = (PREFIX, CALENDARS)
"""Whoever knows the rest of such a path is let in: it is as good as a password, and is not logged."""

PROBES = ("/livez", "/readyz")
"""Asked every few seconds by who runs us: answered however busy we are, and not worth a line."""

ALWAYS_ANSWERED = (*PROBES, "/health")

_BUSY = ("/api/v1/alerts", "/api/v1/webhooks/", "/v2/enqueue")
"""Called too often for a line each time: only failures are logged."""

_ENDLESS = ("/events",)
"""Streams: how long they last says nothing."""

HARDENED = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",  # a query string may hold a key
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""On every answer that does not say otherwise itself (OWASP REST Security Cheat Sheet, "Security Headers")."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def request_id(scope: Scope) -> str:
    """The number of a request: the one its sender gave it if that is harmless, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text: str = value.decode("latin-1")
            return text if _REQUEST_ID.fullmatch(text) else _new_id()
    return _new_id()


def _new_id() -> str:
    """32 hexadecimal digits that sort by their time of making: like a UUIDv7, at a fifth of its cost."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


class Guard:
    """The outermost part of the application.

    The number is in the answer, in `request.state.request_id`, and as `request_id` in every line of the log that the
    request caused. Of what was asked only the path is logged: a query string may hold a key.
    """

    def __init__(self, app: ASGIApp, show: Show | None = None) -> None:
        self._app = app
        self._show = show
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        number = request_id(scope)
        scope.setdefault("state", {})["request_id"] = number

        async def hardened(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(message["headers"], number)
            await send(message)

        app = self._app
        if self._under_way >= UNDER_WAY_LIMIT and scope["path"] not in ALWAYS_ANSWERED:
            busy = "PagerPal has too much to do just now; try again"
            app = await self._page(scope, 503, busy) or unavailable(busy)
            scope["state"]["route"] = TOO_BUSY
        self._under_way += 1
        structlog.contextvars.bind_contextvars(request_id=number)
        with tracing.within((span := traced.begin(scope)).traceparent):
            try:
                await app(scope, receive, hardened)
            except Exception:
                if not status:
                    app = await self._page(scope, 500, f"It has been logged as request {number}.") or on_bug(number)
                    await app(scope, receive, hardened)
                raise  # for the server to log, with the number still bound
            finally:
                self._under_way -= 1
                seconds = time.perf_counter() - started
                _measure(scope, status or 500, seconds)
                _log(scope, status or 500, seconds)
                traced.end(span, scope, status or 500)
        structlog.contextvars.unbind_contextvars("request_id")

    async def _page(self, scope: Scope, status: int, detail: str) -> ASGIApp | None:
        """What a browser shows instead; None for everybody else, and when that fails, too."""
        if self._show is None or not is_for_a_browser(scope):
            return None
        try:
            return await self._show(Request(scope), status, detail)
        except Exception:
            log.exception("request.no_page", status=status)
            return None


def _harden(headers: list[tuple[bytes, bytes]], number: str) -> None:
    names = {name for name, _ in headers}
    if names.isdisjoint(HARDENED):
        headers += HARDENED.items()
    else:
        headers += [header for header in HARDENED.items() if header[0] not in names]
    headers.append((b"x-request-id", number.encode()))


def _shown(path: str) -> str:
    """The path as it may be logged."""
    return next((f"{prefix}…" for prefix in SECRET_PATHS if path.startswith(prefix)), path)


def _measure(scope: Scope, status: int, seconds: float) -> None:
    """Counted by the route's row, never by the path: anybody can make up paths."""
    route = scope["state"].get("route")
    if route is not None and route not in _ENDLESS:
        REQUESTS.labels(scope["method"], route, status).observe(seconds)


def _log(scope: Scope, status: int, seconds: float) -> None:
    """A line for each request that changed something or failed."""
    path = scope["path"]
    if path in PROBES or (status < 400 and (scope["method"] in {"GET", "HEAD"} or path.startswith(_BUSY))):
        return
    milliseconds = round(seconds * 1000, 1)
    log.info("request", method=scope["method"], path=_shown(path), status=status, ms=milliseconds)
