"""What does a caller get to read? Answers as JSON, and every error as `{"detail": …}`, mapped to its status once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from pydantic import BaseModel, TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from pagerpal_common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PagerPalError,
    Refusal,
    TooLarge,
    TooManyTries,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    Unsupported,
)
from pagerpal_common.service import Show

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = "5"

STATUS: Mapping[type[PagerPalError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Unsupported: 415,
    Unprocessable: 422,
    TooManyTries: 429,
    Unavailable: 503,
}
"""What each family of `errors.py` is in HTTP. Whatever is not here is a bug: 500."""

NOT_HERE: Mapping[int, str] = {
    404: "There is no page at this address. The link may be incomplete, or what it led to may have been deleted.",
    405: "This address cannot be opened this way. Nothing was changed.",
}
"""What people read of a path that is not there, or not with this method."""

API = "/api/"
"""What the path of everything begins with whose answers are JSON, whoever asks."""

CHALLENGE = 'Basic realm="PagerPal", charset="UTF-8"'

_ANSWER = TypeAdapter[Any](Any)


def json_response(answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON; instants as RFC 3339 in UTC with `Z`."""
    body = answer.model_dump_json() if isinstance(answer, BaseModel) else _ANSWER.dump_json(answer)
    return Response(body, status, headers, "application/json")


def unavailable(detail: str = "PagerPal cannot do this just now; try again") -> Response:
    """Our own trouble: the caller is to come again, and told when."""
    return JSONResponse({"detail": detail}, 503, {"Retry-After": RETRY_AFTER_SECONDS})


def status_of(error: Exception) -> int:
    """The status of what was raised on purpose."""
    return next(code for family, code in STATUS.items() if isinstance(error, family))


async def on_error(_: Request, error: Exception) -> Response:
    """What was raised on purpose."""
    status = status_of(error)
    if not isinstance(error, Refusal):
        log.warning("request.unavailable", error=type(error).__name__, reason=str(error))
        return unavailable()
    detail = error.problems if isinstance(error, Unprocessable) else error.detail
    headers = {"WWW-Authenticate": CHALLENGE} if status == 401 else {}
    if isinstance(error, TooManyTries):
        headers["Retry-After"] = str(error.seconds)
    return JSONResponse({"detail": detail}, status, headers)


def on_http_exception(show: Show | None) -> Callable[[Request, Exception], Awaitable[Response]]:
    """No such path, or not with this method: a page for a browser, and JSON for everybody else."""

    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        headers = {"Allow": _allowed(request)} if error.status_code == 405 else dict(error.headers or {})
        if show is None or error.status_code not in NOT_HERE or not is_for_a_browser(request.scope):
            return JSONResponse({"detail": error.detail}, error.status_code, headers)
        response = await show(request, error.status_code, NOT_HERE[error.status_code])
        response.headers.update(headers)
        return response

    return answer


def is_for_a_browser(scope: Scope) -> bool:
    """Whether somebody looks at the answer: a program says that it takes anything, if it says so at all."""
    if scope["path"].startswith(API):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


async def on_disconnect(_: Request, _error: Exception) -> Response:
    """The client went away before its body had come; nobody will read this."""
    return JSONResponse({"detail": "the connection was closed before the body had come"}, 400)


def on_bug(request_id: str) -> Response:
    """The last resort: nothing of what went wrong but the number it is logged under."""
    return JSONResponse({"detail": f"an internal error; it has been logged as request {request_id}"}, 500)


def _allowed(request: Request) -> str:
    """Every method of this path: each has a route of its own, and Starlette names those of the first only."""
    app = request.app
    assert isinstance(app, Starlette)  # noqa: S101 - `application` makes no other
    matching = [
        route for route in app.routes if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE
    ]
    return ", ".join(sorted({method for route in matching for method in route.methods or ()}))
