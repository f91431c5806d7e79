"""What Grafana, Alertmanager and Amazon SNS send, and what they hear: `/api/v1/webhooks/…`.

As far as PagerPal reads it. Nothing is refused for a field that is missing or odd as long as an alert can be made out.
"""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel, to_pascal

from pagerpal_common.contracts.http.alerts import HANDLED, KEPT, OPENED, REFUSALS, HandledAlert, KeptAlert
from pagerpal_common.contracts.http.operation import SOURCE, Answer, Operation
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.vocabulary import Severity

_LABELS = {"alertname": "RDSConnections", "severity": "critical", "team_id": "1"}


class WebhookAlert(BaseModel):
    """One alert of a group, as Grafana and Alertmanager write it."""

    model_config = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True)

    status: str | None = Field(None, examples=["firing"])
    """`firing` or `resolved`; of this alert, whatever the group's is."""
    labels: dict[str, str] | None = Field(None, examples=[_LABELS])
    """`severity` and `team_id` are read from here."""
    annotations: dict[str, str] | None = Field(None, examples=[{"summary": "RDS connection pool exhausted"}])
    starts_at: str | None = Field(None, examples=["2026-05-21T12:00:00Z"])
    ends_at: str | None = Field(None, examples=["0001-01-01T00:00:00Z"])
    fingerprint: str | None = Field(None, examples=["c6eadffa33fcdf37"])
    """Becomes the external id."""
    generator_url: str | None = Field(None, alias="generatorURL")
    silence_url: str | None = Field(None, alias="silenceURL")
    dashboard_url: str | None = Field(None, alias="dashboardURL", examples=["https://grafana.example.org/d/rds"])
    panel_url: str | None = Field(None, alias="panelURL")
    image_url: str | None = Field(None, alias="imageURL")
    values: dict[str, float | None] | None = None


class GrafanaNotification(BaseModel):
    """What Grafana's unified alerting sends: a group of alerts, each with a status of its own."""

    model_config = ConfigDict(alias_generator=to_camel)

    receiver: str | None = None
    status: str | None = Field(None, examples=["firing"])
    alerts: list[WebhookAlert]
    common_labels: dict[str, str] | None = None
    common_annotations: dict[str, str] | None = None
    external_url: str | None = Field(None, alias="externalURL", examples=["https://grafana.example.org/"])
    truncated_alerts: int | None = None


class LegacyNotification(BaseModel):
    """What Grafana 8 and older send."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "title": "RDS connection pool exhausted",
                    "message": "Database connection pool is saturated",
                    "state": "alerting",
                    "ruleId": "rds-connection-pool",
                    "labels": {"team_id": "1"},
                }
            ]
        },
    )

    title: str
    message: str | None = None
    state: str | None = None
    """`alerting` opens or updates an incident, `ok` resolves it."""
    rule_id: str | int | None = None
    """Becomes the external id."""
    rule_name: str | None = None
    rule_url: str | None = None
    labels: dict[str, str] | None = None


class AlertmanagerNotification(BaseModel):
    """What Prometheus' Alertmanager sends (payload version 4)."""

    model_config = ConfigDict(alias_generator=to_camel)

    version: str | None = Field(None, examples=["4"])
    group_key: str | None = None
    status: str | None = Field(None, examples=["firing"])
    receiver: str | None = None
    alerts: list[WebhookAlert]
    common_labels: dict[str, str] | None = None
    common_annotations: dict[str, str] | None = None
    external_url: str | None = Field(None, alias="externalURL", examples=["https://prometheus.example.org/"])
    truncated_alerts: int | None = None


class TakenAlert(BaseModel):
    """What became of one alert of a group."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: int | None
    """Its incident; null when there is none, or not yet."""
    external_id: str | None
    alert_id: UUID | None
    outcome: str = Field(examples=["opened"])
    """`accepted` while it is only kept, `refused` when it could not be understood."""
    status: str = Field(examples=["triggered"])
    """Of its incident; the outcome when there is none."""
    title: str | None = None
    severity: Severity | None = None
    detail: str | None = None
    """Why it was refused."""


class GroupAnswer(BaseModel):
    """The fields of the first incident that the group speaks of, if it does; and an entry for each alert, in order."""

    model_config = ConfigDict(extra="allow")

    status: str = Field(examples=["triggered"])
    incidents: list[TakenAlert]


class SnsMessage(BaseModel):
    """What Amazon SNS delivers. `Message` is a CloudWatch alarm as JSON, or any text."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        json_schema_extra={
            "examples": [
                {
                    "Type": "Notification",
                    "Message": '{"AlarmName":"prod-api-cpu-high","NewStateValue":"ALARM",'
                    '"NewStateReason":"CPU above threshold","Trigger":{}}',
                    "MessageId": "example-message-id",
                }
            ]
        },
    )

    type: str
    message: str | None = None
    message_id: str | None = None
    topic_arn: str | None = None
    subject: str | None = None
    timestamp: str | None = None
    token: str | None = None
    subscribe_url: str | None = Field(None, alias="SubscribeURL")
    signature_version: str | None = None
    signature: str | None = None
    signing_cert_url: str | None = Field(None, alias="SigningCertURL")


class SubscriptionConfirmed(BaseModel):
    """Amazon SNS has been told that its messages are wanted."""

    status: str = Field(examples=["subscription_confirmed"])


_OF_A_GROUP = {
    201: Answer(GroupAnswer | IncidentView, "One of the alerts opened an incident."),
    200: Answer(GroupAnswer | IncidentView | HandledAlert, HANDLED),
    202: Answer(GroupAnswer | KeptAlert, KEPT),
    **REFUSALS,
}


def _grafana(method: str, name: str) -> Operation:
    return Operation(
        method=method,
        path="/api/v1/webhooks/grafana",
        name=name,
        words="""Grafana alerting webhook.

Today's payload is taken apart into its alerts, and one bad alert never drops the others. The legacy one becomes one
alert: `state: ok` resolves. Alertmanager's payload is understood here, too. A body may be as large as 5 MiB.""",
        answers=_OF_A_GROUP,
        takes=LegacyNotification | GrafanaNotification,
        asks_for=SOURCE,
    )


OPERATIONS = (
    _grafana("POST", "receive_grafana"),
    _grafana("PUT", "receive_grafana_by_put"),
    Operation(
        method="POST",
        path="/api/v1/webhooks/alertmanager",
        name="receive_alertmanager",
        words="""Alertmanager webhook.

Each alert of the group becomes one here, by its fingerprint. A body may be as large as 5 MiB.""",
        answers=_OF_A_GROUP,
        takes=AlertmanagerNotification,
        asks_for=SOURCE,
    ),
    Operation(
        method="POST",
        path="/api/v1/webhooks/cloudwatch",
        name="receive_cloudwatch",
        words="""CloudWatch/SNS webhook.

Takes SubscriptionConfirmation, Notification and UnsubscribeConfirmation, and raw delivery, whatever the Content-Type.
SNS cannot set a header: put the key into the query string, or into the URL as a password. A body may be as large as
256 KiB.""",
        answers={
            200: Answer(SubscriptionConfirmed | IncidentView | HandledAlert, HANDLED),
            201: Answer(IncidentView, OPENED),
            202: Answer(KeptAlert, KEPT),
            **REFUSALS,
        },
        takes=SnsMessage,
        media_types=("application/json", "text/plain"),
        asks_for=SOURCE,
    ),
)
