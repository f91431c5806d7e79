"""From a table of endpoints to routes: credentials, bodies, answers and errors, each handled once, here."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pagerpal_common import VERSION
from pagerpal_common.bus import Bus
from pagerpal_common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PagerPalError,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    Unsupported,
)
from pagerpal_common.ids import uuid7
from pagerpal_common.readiness import summary
from pagerpal_common.service import Service, condition
from pagerpal_common.vocabulary import Role

log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024
"""Bytes that a route takes when its row does not say otherwise."""

RETRY_AFTER_SECONDS = "5"

LARGEST_ID = 2**63 - 1

STATUS: Mapping[type[PagerPalError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Unsupported: 415,
    Unprocessable: 422,
    Unavailable: 503,
}
"""What each family of `errors.py` is in HTTP. Whatever is not here is a bug: 500."""

B = TypeVar("B")


class Body(BaseModel):
    """A request's JSON body: no coercion, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Query(BaseModel):
    """A request's query string."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True)
class Account:
    """Who is logged in."""

    user_id: int
    role: Role


@dataclass(frozen=True)
class Call(Generic[B]):
    """One request, checked: who asks, which ids are in its path, and its body or query."""

    request: Request
    account: Account | None
    ids: Mapping[str, int]
    body: B

    @property
    def actor(self) -> Account:
        """Who asks, on a route that demands an account."""
        if self.account is None:
            raise Unauthenticated("an account is required")
        return self.account


@dataclass(frozen=True)
class Endpoint:
    """One row of a route table: everything about a route but what its handler does."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    allow: Role | None
    """The least role that may call it; None when no account is needed."""
    takes: type[BaseModel] | None = None
    """The body of a POST, PUT or PATCH; the query of anything else."""
    status: int = 200
    gives: Any = None
    """The type of its answer, for the API's document; None when there is no body."""
    refuses: tuple[int, ...] = ()
    """Statuses that its handler itself answers with, beside those that follow from the rest of the row."""


Authenticate = Callable[[Any, Request], Awaitable[Account]]
"""Finds out who asks. Raises Unauthenticated, or Unavailable when it cannot be found out."""

_PROBES = ("/livez", "/readyz")

_RANK = {Role.VIEWER: 0, Role.RESPONDER: 1, Role.ADMIN: 2}
_ANSWER = TypeAdapter[Any](Any)


def routes(ctx: object, endpoints: Sequence[Endpoint], authenticate: Authenticate) -> list[BaseRoute]:
    """A Starlette route for each row, with `ctx` given to its handler."""
    return [_route(row, _endpoint(ctx, row, authenticate)) for row in endpoints]


def _route(row: Endpoint, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    route = Route(row.path, endpoint, methods=[row.method], name=row.handler.__name__)
    route.param_convertors = {
        name: _ID if isinstance(convertor, IntegerConvertor) else convertor
        for name, convertor in route.param_convertors.items()
    }
    return route


class _IdConvertor(IntegerConvertor):
    """A number of any length: Python refuses to read one of more than 4300 digits, which would be a 500."""

    def convert(self, value: str) -> int:
        return int(value) if len(value) <= len(str(LARGEST_ID)) else LARGEST_ID + 1


_ID = _IdConvertor()


def _endpoint(ctx: object, row: Endpoint, authenticate: Authenticate) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        account = None if row.allow is None else await authenticate(ctx, request)
        if account is not None and row.allow is not None and _RANK[account.role] < _RANK[row.allow]:
            raise Forbidden(f"this needs the role {row.allow}")
        ids = _ids(request)
        call = Call(request, account, ids, await _taken(request, row))
        answer = await row.handler(ctx, call)
        if isinstance(answer, Response):
            return answer
        if row.status == 204:
            return Response(status_code=204)
        return json_response(answer, row.status)

    return endpoint


def json_response(answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON; instants as RFC 3339 in UTC with `Z`."""
    body = answer.model_dump_json() if isinstance(answer, BaseModel) else _ANSWER.dump_json(answer)
    return Response(body, status, headers, "application/json")


def _ids(request: Request) -> dict[str, int]:
    """The numbers in the path. One too large for the database's column is of nothing that exists."""
    ids = {name: value for name, value in request.path_params.items() if isinstance(value, int)}
    if any(value > LARGEST_ID for value in ids.values()):
        raise NotFound("there is nothing with this id")
    return ids


async def _taken(request: Request, row: Endpoint) -> BaseModel | None:
    if row.takes is None:
        return None
    try:
        if row.method in {"POST", "PUT", "PATCH"}:
            return row.takes.model_validate_json(await read_body(request, BODY_LIMIT))
        return row.takes.model_validate(dict(request.query_params))
    except ValidationError as error:
        where = "body" if row.method in {"POST", "PUT", "PATCH"} else "query"
        raise unprocessable(error, where) from None


def unprocessable(error: ValidationError, where: str) -> Unprocessable:
    """What does not fit, and where; never what was sent, which may be a password or a key."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return Unprocessable([{**problem, "loc": [where, *problem["loc"]]} for problem in problems])


async def read_body(request: Request, limit: int) -> bytes:
    """The raw body, whatever its Content-Type says (SNS sends JSON as text/plain).

    Raises:
        TooLarge: it is longer than `limit` bytes; counted as they arrive, whatever Content-Length says.
        Unsupported: it is compressed: a few bytes could unpack to gigabytes.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported("send the body uncompressed")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def application(services: Sequence[Service], bus: Bus) -> Starlette:
    """The services' routes in one application, in the given order, with errors mapped and requests logged."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        conditions = [condition(service, bus) for service in services]
        is_ready = all(service.is_ready(found) for service, found in zip(services, conditions, strict=True))
        return JSONResponse(summary(conditions), 200 if is_ready else 503)

    own: list[BaseRoute] = [Route("/livez", livez), Route("/readyz", readyz)]
    return Starlette(
        routes=[route for service in services for route in service.routes] + own,
        exception_handlers={
            PagerPalError: _on_error,
            HTTPException: _on_http_exception,
            ClientDisconnect: _on_disconnect,
            Exception: _on_bug,
        },
        middleware=[Middleware(_AccessLog)],
    )


async def health(_ctx: object, _call: Call[None]) -> dict[str, str]:
    """Public load-balancer health check."""
    return {"status": "ok", "service": "pagerpal", "version": VERSION}


async def _on_error(_: Request, error: Exception) -> Response:
    status = next(code for family, code in STATUS.items() if isinstance(error, family))
    detail: object = "PagerPal cannot do this just now; try again"
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else {}
    if isinstance(error, Unprocessable):
        detail = error.problems
    elif isinstance(error, Refusal):
        detail = error.detail
    else:
        log.warning("request.unavailable", error=type(error).__name__, reason=str(error))
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="PagerPal", charset="UTF-8"'
    return JSONResponse({"detail": detail}, status, headers)


async def _on_http_exception(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _on_disconnect(_: Request, _error: Exception) -> Response:
    """The client went away before its body had come; nobody will read this."""
    return JSONResponse({"detail": "the connection was closed before the body had come"}, 400)


async def _on_bug(_: Request, _error: Exception) -> Response:
    """Starlette's outermost handler logs the traceback and raises it again, after this answer is sent."""
    return JSONResponse({"detail": "an internal error; it has been logged"}, 500)


REQUEST_ID = "X-Request-ID"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def request_id(scope: Scope) -> str:
    """The number of a request: the one its sender gave it if that is harmless, or a new one."""
    given = next((value for name, value in scope["headers"] if name == REQUEST_ID.lower().encode()), b"")
    text = given.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else str(uuid7())


class _AccessLog:
    """Numbers requests, and logs a line for each that changed something or failed.

    Paths only: a query string may hold a key. The number is in the line, in every other one that the request caused
    (`request_id`), in `request.state.request_id` and in the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        number = request_id(scope)
        scope.setdefault("state", {})["request_id"] = number

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((REQUEST_ID.lower().encode(), number.encode()))
            await send(message)

        context = structlog.contextvars.bind_contextvars(request_id=number)
        try:
            await self._app(scope, receive, watched)
        finally:
            structlog.contextvars.reset_contextvars(**context)
            if status >= 400 or (scope["method"] != "GET" and not scope["path"].startswith("/api/v1/alerts")):
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=milliseconds,
                    request_id=number,
                )
