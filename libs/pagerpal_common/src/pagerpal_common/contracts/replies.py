"""What ingest says: people have answered a page by SMS."""

from typing import ClassVar
from uuid import UUID

from pagerpal_common.contracts.message import Message, Value
from pagerpal_common.vocabulary import ReplyCommand

REPLIES_TOGETHER = 20
"""The most replies that travel in one message: each may have to wait for an answer of incidents."""


class SmsReply(Value):
    """One SMS: what it asks for, and nothing else of its text, nor the number it came from."""

    reply_id: UUID
    """Made of the provider's message id: the same whenever the provider delivers this SMS again."""
    user_ids: tuple[int, ...]
    """Everybody in the directory who has the number; nobody when it is a stranger's."""
    sender: str
    """The number, masked."""
    command: ReplyCommand | None
    """What it asks for; None when that cannot be told."""
    incident_id: int | None = None
    """Of which incident; None when it names none."""


class RepliesReceived(Message):
    """SMS have come in, 1 to 20 of them. They may be repeated, and late."""

    topic: ClassVar[str] = "replies.received.v1"

    replies: tuple[SmsReply, ...]
