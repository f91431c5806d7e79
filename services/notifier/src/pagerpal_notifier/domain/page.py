"""What goes out, and to whom."""

from dataclasses import dataclass, field
from uuid import UUID

from pagerpal_common.vocabulary import Channel, NotificationStatus, Severity


@dataclass(frozen=True)
class Page:
    """What a person is told. The texts are the monitoring system's: not to be trusted."""

    incident_id: int
    severity: Severity
    title: str
    description: str
    reason: tuple[str, ...]
    """The chain that led to this person: policy level, schedule entry, rule."""


@dataclass(frozen=True)
class Claim:
    """A notification that is ours to send, once, before its deadline."""

    notification_id: int
    incident_id: int
    page_request_id: int
    channel: Channel
    step: int
    attempts: int
    """How many tries there have been, this one included."""
    attempt_id: UUID
    """The provider's message id of this try: the same as last time while that one's outcome is unknown."""
    address: str = field(repr=False)  # secret: goes to the provider and nowhere else
    page: Page


@dataclass(frozen=True)
class Unsendable:
    """A notification that was due and may not be sent; the flags say why."""

    notification_id: int
    incident_id: int
    page_request_id: int
    channel: Channel
    step: int
    attempts: int
    status: NotificationStatus
    is_wanted: bool
    is_active: bool
    has_address: bool
