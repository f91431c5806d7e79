"""What an alert in PagerPal's own format looks like, and what its sender hears: `POST /api/v1/alerts`."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from pagerpal_common.contracts.http.operation import SOURCE, Answer, Header, Operation, refused
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, Severity

OPENED = "The alert opened an incident."
HANDLED = "It was folded into an open incident, resolved it, or spoke of nothing that is open."
KEPT = "It is durably kept, and will be handled; which incident it belongs to is not known yet."

REFUSALS = refused(400, 401, 403, 413, 415, 422, 503) | {
    400: Answer(refused(400)[400].gives, "The request carries several different alert source keys."),
    401: Answer(refused(401)[401].gives, "The request carries no alert source key."),
    403: Answer(refused(403)[403].gives, "The key is unknown or inactive, or not good for what the body names."),
}
"""How a route that asks for an alert source's key says no."""


class AlertBody(BaseModel):
    """One signal. Fields that PagerPal does not know are ignored, and `null` stands for a field left out."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "title": "CPU > 95% on prod-api-03",
                    "description": "CPU has been above 95% for 10 minutes",
                    "severity": "critical",
                    "team_id": 1,
                    "external_id": "prod-api-03-cpu-high",
                    "source_id": 1,
                }
            ]
        },
    )

    title: str = Field(min_length=1)
    """Cut to 255 characters."""
    description: str | None = None
    """Cut to 16 KiB."""
    severity: Severity
    team_id: int | None = None
    """Another team than the source's own: one that its `config.routing_team_ids` names."""
    external_id: str | None = Field(None, min_length=1, max_length=255)
    """What the alert is about. Alerts of a source with the same one belong to one incident while that is open."""
    source_id: int | None = None
    """If given, the source that the key belongs to."""
    status: AlertStatus | None = None
    """`firing` when left out. A `resolved` one must have an `external_id`."""


class KeptAlert(BaseModel):
    """It is kept, and not handled yet."""

    status: str = Field(examples=["accepted"])
    alert_id: UUID


class HandledAlert(BaseModel):
    """What became of an alert that belongs to no incident."""

    status: AlertOutcome = Field(examples=["ignored"])
    alert_id: UUID
    external_id: str | None


OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/alerts",
        name="receive_alert",
        words="""Generic alert ingestion.

Any 2xx means that the alert is durably kept. Repeated alerts with the same source and `external_id` update the open
incident; `status: resolved` resolves it. A body may be as large as 256 KiB, and its Content-Type does not matter.""",
        answers={
            201: Answer(IncidentView, OPENED),
            200: Answer(IncidentView | HandledAlert, HANDLED),
            202: Answer(KeptAlert, KEPT),
            **REFUSALS,
        },
        takes=AlertBody,
        headers=(
            Header(
                "Idempotency-Key",
                "The same source and key make the same alert, however often it is sent.",
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
            ),
        ),
        asks_for=SOURCE,
    ),
)
