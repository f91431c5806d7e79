"""What ingest says: a provider has further word of messages that it took."""

from typing import ClassVar
from uuid import UUID

from pagerpal_common.contracts.message import Message, Value

RECEIPTS_TOGETHER = 200
"""The most receipts that travel in one message."""


KEYS = ("1", "2")
"""What a called person may press: 1 acknowledges the incident, 2 asks for the next level."""


class DeliveryReceipt(Value):
    """What Infobip says of one message: ids and words of its own tables; no number, and no text of anybody's."""

    message_id: UUID
    """The one that PagerPal gave it; whether there ever was such a message is for the notifier to find out."""
    group: str | None = None
    """`status.groupName`: DELIVERED, UNDELIVERABLE, … In capitals, as `name` is."""
    name: str | None = None
    """`status.name`: DELIVERED_TO_HANDSET, REJECTED_NETWORK, … or one of the reference's short names."""
    error_code: int | None = None
    """`error.id`"""
    is_permanent: bool | None = None
    """`error.permanent`"""
    digits: str | None = None
    """One of `KEYS`, if this is a call in which it was pressed (`voiceCall.dtmfCodes`)."""


class ReceiptsReceived(Message):
    """Receipts have come in, 1 to 200 of them. They may be repeated, late, and in any order."""

    topic: ClassVar[str] = "receipts.received.v1"

    receipts: tuple[DeliveryReceipt, ...]
