"""What the notifier says, and what it is asked."""

from typing import ClassVar

from pagerpal_common.contracts.incidents import IncidentCommand
from pagerpal_common.contracts.message import Message


class NotificationSettled(Message):
    """A notification of this incident was sent, delivered, has failed, or is to be tried again; its row says which."""

    topic: ClassVar[str] = "notification.settled.v1"

    incident_id: int
    notification_id: int


class RetryNotifications(IncidentCommand):
    """A person wants the failed and exhausted notifications of this incident tried again, as far as they are wanted.

    Answered with `NotificationsRetried`.
    """

    topic: ClassVar[str] = "notification.retry.v1"


class NotificationsRetried(Message):
    """The reply to `RetryNotifications`."""

    topic: ClassVar[str] = "notification.retried.v1"

    retried_count: int
    """Notifications that had failed or were exhausted."""
    queued_count: int
    """Those of them that now wait to be sent; nobody wants the others any more, or their person cannot be reached."""
