"""What ingest says: alerts have arrived."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from pagerpal_common.contracts.incidents import IncidentView, Link
from pagerpal_common.contracts.message import Message, Value, current_request
from pagerpal_common.tracing.context import current
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, Severity

GROUP_LIMIT = 200
"""The most alerts that travel in one message or are committed in one transaction."""


RAW_LIMIT = 16 * 1024
"""Bytes of UTF-8 that are kept of an alert as it was sent."""


class RawAlert(Value):
    """An alert as its sender has sent it, storable, and without keys and passwords: for people, never to be read back.

    Where the sender tells of several alerts in one body, its part of that.
    """

    text: str | None
    """At most `RAW_LIMIT` bytes of UTF-8. None when it could not be kept."""
    size: int = 0
    """Bytes of all of it, as it was sent."""
    is_cut: bool = False
    """Whether `text` is only its beginning."""
    content_type: str | None = None
    """What the sender calls it; often wrong."""


class Alert(Value):
    """One signal from a monitoring system, already checked: its texts are storable and within their bounds."""

    alert_id: UUID
    source_id: int
    team_id: int
    escalation_policy_id: int | None = None
    external_id: str | None
    status: AlertStatus
    severity: Severity
    title: str
    description: str
    received_at: AwareDatetime
    event_at: AwareDatetime | None = None
    """When this happened, by the source's own clock: the newest decides, in whatever order they arrive. None when the
    source does not say; then it counts as having happened when it arrived."""
    starts_at: AwareDatetime | None = None
    """Its episode: when the source says that this firing began. All that is said of one firing has the same."""
    labels: dict[str, str] = Field(default_factory=dict)
    links: tuple[Link, ...] = ()
    note: str | None = None
    """Something about its delivery that belongs on the timeline: alerts cut off at the sender, say."""
    flap_seconds: int = 0
    """Firing again within this time after its source resolved it, it goes on in the same incident
    (`config.flap_seconds` of the source)."""
    is_test: bool = False
    """Sent by the "test" button of a contact point: it leaves an incident, resolved at once, and pages nobody."""
    request_id: str | None = Field(default_factory=current_request)
    traceparent: str | None = Field(default_factory=current)
    """Its own, beside those of `Message`: alerts of many requests travel together."""
    raw: RawAlert | None = None
    """None from a sender, or a version of ingest, that does not say."""


class AlertsReceived(Message):
    """Alerts that arrived while an earlier publish was in flight: 1 to 200 of them, in order of arrival.

    Answered with `AlertsHandled`. Never expires: what was accepted is processed however late.
    """

    topic: ClassVar[str] = "alerts.received.v1"

    traceparent: str | None = None
    """Each alert has its own."""
    alerts: tuple[Alert, ...]


class AlertResult(Value):
    """What became of one alert. No incident when it was ignored or parked."""

    alert_id: UUID
    outcome: AlertOutcome
    incident: IncidentView | None


class AlertsHandled(Message):
    """The reply to `AlertsReceived`: committed, one result per alert, in the order asked."""

    topic: ClassVar[str] = "alerts.handled.v1"

    results: tuple[AlertResult, ...]
