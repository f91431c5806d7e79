"""From a table of endpoints to routes: who asks, for what, and with which body, each checked once, here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.convertors import IntegerConvertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pagerpal_common import VERSION
from pagerpal_common.errors import Forbidden, NotFound, TooLarge, Unauthenticated, Unprocessable, Unsupported
from pagerpal_common.forms import as_json
from pagerpal_common.http.answers import json_response
from pagerpal_common.http.bodies import BODY_LIMIT, check_charset, read_json, unprocessable
from pagerpal_common.vocabulary import Role

LARGEST_ID = 2**63 - 1

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose `takes` is the body; of the others it is the query."""

B = TypeVar("B")


class Body(BaseModel):
    """A request's JSON body: no coercion, no unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Query(BaseModel):
    """A request's query string."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


@dataclass(frozen=True)
class Account:
    """Who is logged in."""

    user_id: int
    role: Role
    session_id: int | None = None
    """The session that the request came by; None when it brought a password."""


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
    is_form: bool = False
    """Whether its body may be a form instead of JSON (`forms.py`)."""


Authenticate = Callable[[Any, Request], Awaitable[Account]]
"""Finds out who asks. Raises Unauthenticated, or Unavailable when it cannot be found out."""

Handler = Callable[[Any, Call[Any]], Awaitable[Any]]

_RANK = {Role.VIEWER: 0, Role.RESPONDER: 1, Role.ADMIN: 2}


def may_as(role: Role, least: Role) -> bool:
    """Whether this role may do what takes at least that one."""
    return _RANK[role] >= _RANK[least]


def routes(ctx: object, endpoints: Sequence[Endpoint], authenticate: Authenticate) -> list[BaseRoute]:
    """A Starlette route for each row, with `ctx` given to its handler."""
    finders = {row.path: row.handler for row in endpoints if row.method == "GET" and row.takes is None}
    return [_route(row, _endpoint(ctx, row, authenticate, finders.get(_down_to_the_last_id(row)))) for row in endpoints]


def _down_to_the_last_id(row: Endpoint) -> str:
    """The path of what a row's ids name: `/users/{user_id}` of `/users/{user_id}/contact-methods`."""
    return row.path[: row.path.rfind("}") + 1]


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


def _endpoint(
    ctx: object, row: Endpoint, authenticate: Authenticate, find: Handler | None
) -> Callable[[Request], Awaitable[Response]]:
    """What answers a row's requests: 401 before 403 before 404 before what is wrong with the body.

    Args:
        find: shows what the row's ids name. It is asked only once something is wrong with the body: mostly nothing is,
            and the handler looks for itself.
    """

    async def endpoint(request: Request) -> Response:
        request.state.route = row.path
        account = None if row.allow is None else await authenticate(ctx, request)
        if account is not None and row.allow is not None and not may_as(account.role, row.allow):
            raise Forbidden(f"this needs the role {row.allow}")
        ids = _ids(request)
        try:
            answer = await row.handler(ctx, Call(request, account, ids, await _taken(request, row)))
        except (TooLarge, Unprocessable, Unsupported):
            if find is not None:
                await find(ctx, Call(request, account, ids, None))
            raise
        if isinstance(answer, Response):
            return answer
        if row.status == 204:
            return Response(status_code=204)
        return json_response(answer, row.status)

    return endpoint


def _ids(request: Request) -> dict[str, int]:
    """The numbers in the path. One too large for the database's column is of nothing that exists."""
    ids = {name: value for name, value in request.path_params.items() if isinstance(value, int)}
    if any(value > LARGEST_ID for value in ids.values()):
        raise NotFound("there is nothing with this id")
    return ids


async def _taken(request: Request, row: Endpoint) -> BaseModel | None:
    if row.takes is None:
        return None
    if row.method not in WITH_BODY:
        return _fitting(row.takes.model_validate, dict(request.query_params), "query")
    check_charset(request)
    raw = await read_json(request, BODY_LIMIT)
    return _fitting(row.takes.model_validate_json, as_json(request, raw) if row.is_form else raw, "body")


def _fitting(validate: Callable[[Any], BaseModel], given: object, where: str) -> BaseModel:
    try:
        return validate(given)
    except ValidationError as error:
        raise unprocessable(error, where) from None


class Health(BaseModel):
    """The process is up and answers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "service": "pagerpal", "version": VERSION}]}
    )

    status: str = "ok"
    service: str = "pagerpal"
    version: str = VERSION


async def health(_ctx: object, _call: Call[None]) -> Health:
    """Public load-balancer health check."""
    return Health()
