"""What a sender of PagerDuty's Events API v2 sends and hears: `POST /v2/enqueue`."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from pagerpal_common.contracts.http.operation import Answer, Header, Operation, refused


class EventPayload(BaseModel):
    """What an event is about."""

    summary: str = Field(examples=["CPU > 95% on prod-api-03"])
    source: str | None = Field(None, examples=["prod-api-03"])
    severity: str | None = Field(None, examples=["critical"])
    component: str | None = None
    group: str | None = None
    custom_details: JsonValue | None = None


class Event(BaseModel):
    """One event of PagerDuty's Events API v2."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    routing_key: str = Field(examples=["<alert-source-key>"])
    """An alert source's key."""
    event_action: str = Field(examples=["trigger"])
    """`trigger`, `acknowledge` or `resolve`."""
    dedup_key: str | None = Field(None, examples=["prod-api-03-cpu-high"])
    """Made up for a `trigger` that has none; it is in the answer."""
    payload: EventPayload | None = None
    """Needed by a `trigger`."""


class EventAnswer(BaseModel):
    """The event is kept."""

    status: str = Field(examples=["success"])
    message: str = Field(examples=["Event processed"])
    dedup_key: str = Field(examples=["prod-api-03-cpu-high"])


class InvalidEvent(BaseModel):
    """Why it is not, in PagerDuty's own form."""

    status: str = Field(examples=["invalid event"])
    message: str = Field(examples=["Event object is invalid"])
    errors: list[str] = Field(examples=[["'payload.summary' is missing or blank"]])


OPERATIONS = (
    Operation(
        method="POST",
        path="/v2/enqueue",
        name="receive_event",
        words="""An event of PagerDuty's Events API v2.

For senders that speak to PagerDuty: give them this address, and an alert source's key as routing key. What is wrong
with a request is answered in PagerDuty's form, a wrong key with 400. A body may be as large as 512 KiB.""",
        answers={
            202: Answer(EventAnswer, "The event is durably kept."),
            400: Answer(InvalidEvent, "It is no event, or its key is unknown or inactive."),
            413: Answer(InvalidEvent, refused(413)[413].says),
            415: Answer(InvalidEvent, refused(415)[415].says),
            **refused(503),
        },
        takes=Event,
        headers=(Header("X-Routing-Key", "The key, where the body has none.", {"type": "string"}),),
    ),
)
