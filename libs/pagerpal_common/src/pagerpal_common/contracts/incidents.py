"""What incidents says, and what it is asked to do."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from pagerpal_common.contracts.message import Message, Value, current_request
from pagerpal_common.tracing.context import current
from pagerpal_common.vocabulary import IncidentStatus, Severity


class Link(Value):
    """Somewhere to look, given by the monitoring system."""

    href: str
    text: str


class IncidentView(Value):
    """An incident as the API shows it (the reference's response shape, plus the fields of the contract)."""

    id: int
    title: str
    description: str
    severity: Severity
    external_id: str | None
    source_id: int
    team_id: int
    status: IncidentStatus
    current_escalation_level: int
    """The level last paged; 0 while nobody has been."""
    assigned_user_id: int | None
    acknowledged_by: int | None
    acknowledged_at: AwareDatetime | None
    resolved_by: int | None
    resolved_at: AwareDatetime | None
    first_notified_at: AwareDatetime | None
    last_notified_at: AwareDatetime | None
    notification_count: int
    created_at: AwareDatetime
    escalation_id: int
    escalation_pass: int
    alert_count: int
    last_alert_at: AwareDatetime
    links: tuple[Link, ...]
    labels: dict[str, str]
    is_unreached: bool


class TriggeredIncident(Value):
    """One of them. `escalation_id` is new each time, so that what is left of an earlier run can tell it is stale."""

    incident_id: int
    escalation_id: int
    request_id: str | None = Field(default_factory=current_request)
    traceparent: str | None = Field(default_factory=current)
    """Its own, beside those of `Message`: incidents of many requests travel together."""


TRIGGERED_TOGETHER = 25
"""The most incidents that one `IncidentsTriggered` names."""


class IncidentsTriggered(Message):
    """Incidents are open and nobody has acknowledged them: on their first alert, and on reopen.

    Those that a batch of alerts opened travel together: in a storm a message each would cost incidents more than
    committing them (measured: a quarter of its time).
    """

    topic: ClassVar[str] = "incidents.triggered.v1"

    traceparent: str | None = None
    """Each incident has its own."""
    incidents: tuple[TriggeredIncident, ...]


class IncidentEscalated(Message):
    """An incident has entered an escalation level, and its pages are requested."""

    topic: ClassVar[str] = "incident.escalated.v1"

    incident_id: int
    escalation_id: int


class IncidentAcknowledged(Message):
    """Somebody is on it: nobody else needs waking."""

    topic: ClassVar[str] = "incident.acknowledged.v1"

    incident_id: int
    escalation_id: int


class IncidentResolved(Message):
    """It is over, by a person's word or the source's."""

    topic: ClassVar[str] = "incident.resolved.v1"

    incident_id: int
    escalation_id: int


class PageRequested(Message):
    """There are obligations to reach somebody; the rows in `incidents.page_requests` say whom, why, and for what.

    Those that came about together travel together.
    """

    topic: ClassVar[str] = "page.requested.v1"

    traceparent: str | None = None
    """Each row has its own."""
    incident_id: int
    """Of the first."""
    page_request_ids: tuple[int, ...]


class IncidentCommand(Message):
    """What a person asks of an incident. Both are recorded: who is logged in, and in whose name it is done."""

    incident_id: int
    actor_user_id: int
    acting_as_user_id: int


class AcknowledgeIncident(IncidentCommand):
    topic: ClassVar[str] = "incident.acknowledge.v1"


class ResolveIncident(IncidentCommand):
    topic: ClassVar[str] = "incident.resolve.v1"


class ReopenIncident(IncidentCommand):
    topic: ClassVar[str] = "incident.reopen.v1"


class NoteOnIncident(IncidentCommand):
    """A person writes something down on the timeline, whatever state the incident is in. It pages nobody."""

    topic: ClassVar[str] = "incident.note.v1"

    text: str


class IncidentChanged(Message):
    """The reply to a command: the incident as it now stands."""

    topic: ClassVar[str] = "incident.changed.v1"

    incident: IncidentView
