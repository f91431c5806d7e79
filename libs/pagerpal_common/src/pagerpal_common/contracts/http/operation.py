"""What is to be known of a route before one calls it? The shape of a row of the API's document, and of its errors.

Only data: what web says of the routes of another service stands here, where both can see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Scheme(StrEnum):
    """The ways to say who asks, as the document calls them."""

    ACCOUNT = "account"
    SESSION = "session"
    API_KEY = "X-API-Key"
    SOURCE_KEY = "X-Alert-Source-Key"
    BEARER = "bearer"
    BASIC_KEY = "source-key-as-password"
    QUERY_API_KEY = "api_key"
    QUERY_TOKEN = "token"  # noqa: S105 - the name of a parameter
    RECEIPT_TOKEN = "X-Infobip-Receipt-Token"  # noqa: S105 - the name of a header


PERSON = (Scheme.ACCOUNT, Scheme.SESSION)
"""Somebody with an account."""

SOURCE = (
    Scheme.API_KEY,
    Scheme.SOURCE_KEY,
    Scheme.BEARER,
    Scheme.BASIC_KEY,
    Scheme.QUERY_API_KEY,
    Scheme.QUERY_TOKEN,
)
"""A monitoring system, by its alert source's key (API reference, "Alert ingestion authentication")."""


class Problem(BaseModel):
    """Why it was not done."""

    detail: str


class Misfit(BaseModel):
    """One thing that does not fit; never what was sent."""

    loc: list[str | int]
    """Where: `body`, `query` or `header`, and the way from there."""
    msg: str
    type: str


class Misfits(BaseModel):
    """What does not fit its schema, and where."""

    detail: list[Misfit]


@dataclass(frozen=True)
class Answer:
    """What one status brings."""

    gives: Any = None
    """The type of the body; None when there is none."""
    says: str | None = None
    """What it means; None when it means what that status always does."""
    media_type: str = JSON


REFUSED: Mapping[int, str] = {
    400: "It names something that does not exist, or the present state does not allow it.",
    401: "No credentials, or wrong ones.",
    403: "These credentials may not do this.",
    404: "There is nothing with this id.",
    409: "It contradicts what is already there; the text names it.",
    413: "The body is larger than this route takes.",
    415: "The body is compressed, or not in UTF-8.",
    422: "The request does not fit its schema.",
    429: "Too many wrong passwords have come from here.",
    503: "PagerPal's own trouble: the same request may succeed later.",
}
"""What the statuses mean that say no, wherever they are answered."""


def refused(*statuses: int) -> dict[int, Answer]:
    """The usual answers for statuses that say no."""
    return {status: Answer(Misfits if status == 422 else Problem, REFUSED[status]) for status in statuses}


@dataclass(frozen=True)
class Header:
    """A header of the request that changes what is done."""

    name: str
    says: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One route, as the document describes it."""

    method: str
    path: str
    """As in the route table: `/api/v1/users/{user_id:int}`."""
    name: str
    """Unique: what generated clients call it."""
    words: str
    """A sentence that says what it does, and, after a blank line, whatever else is to be known."""
    answers: Mapping[int, Answer]
    takes: Any = None
    """The type of the body; None when it needs none."""
    media_types: Sequence[str] = (JSON,)
    """What the body may be sent as."""
    query: type[BaseModel] | None = None
    headers: Sequence[Header] = ()
    asks_for: Sequence[Scheme] = ()
    """Who may call it: any of these will do; nobody is asked when there is none."""
    is_lenient: bool = False
    """Whether it may be set up to ask for nothing at all."""
