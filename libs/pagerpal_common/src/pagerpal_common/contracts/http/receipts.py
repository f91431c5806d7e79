"""What Infobip reports of messages that were sent, and what it hears: `/api/v1/notifications/infobip/…`."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from pagerpal_common.contracts.http.operation import Answer, Operation, Scheme, refused


class ReceiptStatus(BaseModel):
    """How far a message has come."""

    model_config = ConfigDict(alias_generator=to_camel)

    name: str | None = Field(None, examples=["DELIVERED"])
    group_name: str | None = None
    description: str | None = Field(None, examples=["Delivered to handset"])


class ReceiptCall(BaseModel):
    """What happened in a call."""

    model_config = ConfigDict(alias_generator=to_camel)

    dtmf_codes: str | None = Field(
        None, examples=["1"], description="1 acknowledges the incident, 2 asks for its next level."
    )


class Receipt(BaseModel):
    """What Infobip knows of one message."""

    model_config = ConfigDict(alias_generator=to_camel)

    message_id: str = Field(examples=["infobip-message-id"])
    status: ReceiptStatus | None = None
    error: dict[str, JsonValue] | None = None
    voice_call: ReceiptCall | None = None


class Receipts(BaseModel):
    """A delivery report. Messages that are not PagerPal's are passed over."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {
                            "messageId": "infobip-message-id",
                            "status": {"name": "DELIVERED", "description": "Delivered to handset"},
                        }
                    ]
                }
            ]
        }
    )

    results: list[Receipt]


OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/notifications/infobip/receipts",
        name="receive_receipts",
        words="""Infobip delivery receipts.

They say of messages, by `messageId`, what became of them. The token is demanded when one is configured, which
production requires.""",
        answers={
            200: Answer(dict[str, JsonValue], "They are kept, also those of messages that PagerPal does not know."),
            **refused(401, 403, 413, 415, 422, 503),
        },
        takes=Receipts,
        asks_for=(Scheme.RECEIPT_TOKEN,),
        is_lenient=True,
    ),
)
