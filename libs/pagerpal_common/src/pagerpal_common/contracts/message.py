"""The shape that all messages on the bus share."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from structlog.contextvars import get_contextvars

from pagerpal_common.ids import uuid7
from pagerpal_common.tracing.context import current


def current_request() -> str | None:
    """The number of the HTTP request that what is being done goes back to, if that is known."""
    number: str | None = get_contextvars().get("request_id")
    return number


class Value(BaseModel):
    """A part of a message: frozen, and tolerant of fields that a newer version added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Value):
    """Something one service tells another. Facts are in the past tense, requests imperative.

    Add optional fields freely; any other change is a new topic `.v2` beside the old one. The saved sample of each
    version in `tests/unit/contracts/` must parse for ever.
    """

    topic: ClassVar[str]

    message_id: UUID = Field(default_factory=uuid7)
    occurred_at: AwareDatetime
    request_id: str | None = Field(default_factory=current_request)
    """The HTTP request that it was said in, so that one number finds its lines in the log of every service."""
    traceparent: str | None = Field(default_factory=current)
    """The trace that it belongs to, as W3C Trace Context writes it: where it was made true (`tracing`)."""
