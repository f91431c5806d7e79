"""Every message, and who listens to it."""

from collections.abc import Mapping

from pagerpal_common.contracts.alerts import AlertsReceived
from pagerpal_common.contracts.escalations import EscalateIncident, RequestEscalation
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentAcknowledged,
    IncidentEscalated,
    IncidentResolved,
    IncidentsTriggered,
    NoteOnIncident,
    PageRequested,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import CheckContact, NotificationSettled, RetryNotifications
from pagerpal_common.contracts.receipts import ReceiptsReceived
from pagerpal_common.contracts.replies import RepliesReceived

SUBSCRIBERS: Mapping[type[Message], tuple[str, ...]] = {
    AlertsReceived: ("incidents",),
    AcknowledgeIncident: ("incidents",),
    ResolveIncident: ("incidents",),
    ReopenIncident: ("incidents",),
    NoteOnIncident: ("incidents",),
    EscalateIncident: ("incidents",),
    NotificationSettled: ("incidents",),
    IncidentsTriggered: ("escalator",),
    IncidentEscalated: ("escalator",),
    IncidentAcknowledged: ("escalator", "notifier"),
    IncidentResolved: ("escalator", "notifier"),
    RequestEscalation: ("escalator",),
    PageRequested: ("notifier",),
    ReceiptsReceived: ("notifier",),
    RetryNotifications: ("notifier",),
    CheckContact: ("notifier",),
    RepliesReceived: ("web",),
}
"""Which services subscribe to each message. Any process declares all of their queues, so the start order is free:
a message published before its subscriber ever ran waits for it."""

PUBLISHERS: Mapping[type[Message], tuple[str, ...]] = {
    AlertsReceived: ("ingest", "web"),
    AcknowledgeIncident: ("notifier", "web"),
    ResolveIncident: ("web",),
    ReopenIncident: ("web",),
    NoteOnIncident: ("web",),
    EscalateIncident: ("escalator",),
    NotificationSettled: ("notifier",),
    IncidentsTriggered: ("incidents",),
    IncidentEscalated: ("incidents",),
    IncidentAcknowledged: ("incidents",),
    IncidentResolved: ("incidents",),
    RequestEscalation: ("notifier", "web"),
    PageRequested: ("incidents",),
    ReceiptsReceived: ("ingest",),
    RetryNotifications: ("web",),
    CheckContact: ("web",),
    RepliesReceived: ("ingest",),
}
"""Which services say each message, and so may be let say it (`bus/rabbit_permissions.py`)."""

BY_TOPIC: Mapping[str, type[Message]] = {message.topic: message for message in SUBSCRIBERS}
"""Every message that is published, by its topic."""
