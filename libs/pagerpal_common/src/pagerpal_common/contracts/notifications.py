"""What the notifier says, and what it is asked."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

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


class CheckContact(Message):
    """A person wants a code or a test page sent to a contact method: the check's row says whose, which and where.

    Answered with `ContactChecked`. Neither the address nor the code is ever in a message.
    """

    topic: ClassVar[str] = "contact.check.v1"

    check_id: UUID
    """Of `directory.contact_checks`; the provider's message id, too."""


class CheckOutcome(StrEnum):
    """What sending a code or a test page came to."""

    SENT = "sent"  # the provider has it
    REFUSED = "refused"  # definitely not taken, and asking again will not help
    UNCERTAIN = "uncertain"  # not taken for now, or nobody knows


class ContactChecked(Message):
    """The reply to `CheckContact`."""

    topic: ClassVar[str] = "contact.checked.v1"

    outcome: CheckOutcome
    detail: str
    """The provider's own words, without addresses."""
