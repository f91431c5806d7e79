"""What ingest says: alerts have arrived."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.contracts.message import Message, Value
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, Severity

GROUP_LIMIT = 200
"""The most alerts that travel in one message or are committed in one transaction."""


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


class AlertsReceived(Message):
    """Alerts that arrived while an earlier publish was in flight: 1 to 200 of them, in order of arrival.

    Answered with `AlertsHandled`. Never expires: what was accepted is processed however late.
    """

    topic: ClassVar[str] = "alerts.received.v1"

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
