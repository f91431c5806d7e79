"""What does the API's document say of a row of a route table? What follows from it, and its handler's own words."""

from collections.abc import Iterator
from inspect import getdoc, isclass

from starlette.responses import Response

from pagerpal_common.contracts.http.operation import FORM, JSON, PERSON, REFUSED, Answer, Operation, refused
from pagerpal_common.http.answers import STATUS
from pagerpal_common.http.endpoints import WITH_BODY, Endpoint
from pagerpal_common.http.guard import ALWAYS_ANSWERED
from pagerpal_common.vocabulary import Role


def described(row: Endpoint) -> Operation:
    """The row as the document describes it."""
    has_body = row.method in WITH_BODY
    return Operation(
        method=row.method,
        path=row.path,
        name=row.handler.__name__,
        words=getdoc(row.handler) or "",
        answers={row.status: _success(row), **{status: _other(status) for status in sorted(_statuses(row))}},
        takes=row.takes if has_body else None,
        media_types=(JSON, FORM) if row.is_form else (JSON,),
        query=None if has_body else row.takes,
        asks_for=() if row.allow is None else PERSON,
    )


def _success(row: Endpoint) -> Answer:
    if isclass(row.gives) and issubclass(row.gives, Response):
        return Answer(str, media_type=row.gives.media_type or JSON)
    return Answer(row.gives)


def _other(status: int) -> Answer:
    return refused(status)[status] if status in REFUSED else Answer()


def _statuses(row: Endpoint) -> set[int]:
    """What is answered beside success: what `endpoints.py` and `guard.py` refuse, and what the handler does."""
    return {*row.refuses, *_from_the_row(row)} - {row.status}


def _from_the_row(row: Endpoint) -> Iterator[int]:
    if row.path not in ALWAYS_ANSWERED:
        yield 503
    if row.allow is not None:
        yield 401
        if 429 in STATUS.values():  # wrong passwords are slowed down
            yield 429
        if row.method != "GET":  # with a session's cookie: another site's page, or a body that is no JSON
            yield from (403, 415)
    if row.allow not in {None, Role.VIEWER}:
        yield 403
    if "{" in row.path:
        yield 404
    if row.takes is not None:
        yield 422
        if row.method in WITH_BODY:
            yield from (413, 415)
