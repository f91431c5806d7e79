"""What the notifier says."""

from typing import ClassVar

from pagerpal_common.contracts.message import Message


class NotificationSettled(Message):
    """A notification of this incident was sent, delivered, or has failed; its row says which."""

    topic: ClassVar[str] = "notification.settled.v1"

    incident_id: int
    notification_id: int
