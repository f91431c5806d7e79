"""What people answer to a page by SMS: `/api/v1/notifications/infobip/inbound`."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from pagerpal_common.contracts.http.operation import Answer, Operation, Scheme, refused


class InboundSms(BaseModel):
    """One SMS (`SmsMoReport` of Infobip's SMS API)."""

    model_config = ConfigDict(alias_generator=to_camel)

    message_id: str = Field(examples=["817790313235066447"])
    sender: str = Field(alias="from", examples=["385916242493"])
    text: str = Field(examples=["ack 42"])
    clean_text: str | None = Field(None, description="The text without the keyword of a number that is shared.")


class InboundReport(BaseModel):
    """SMS that have come in. Those that are no answers to PagerPal's pages are passed over."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"results": [{"messageId": "817790313235066447", "from": "385916242493", "text": "ack 42"}]}]
        }
    )

    results: list[InboundSms]


OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/notifications/infobip/inbound",
        name="receive_replies",
        words="""SMS that people answer a page with.

`ack 42`, `resolve 42` and `escalate 42` (or `a`, `r`, `e`) are done in the name of the active admin or responder who
has the number it came from. `ack` alone is enough while just one incident waits for that person. Whatever else comes is
ignored, and is in the audit log. The token is that of the receipts.""",
        answers={
            200: Answer(dict[str, JsonValue], "They are kept, also those that PagerPal does not understand."),
            **refused(401, 403, 413, 415, 422, 503),
        },
        takes=InboundReport,
        asks_for=(Scheme.RECEIPT_TOKEN,),
        is_lenient=True,
    ),
)
