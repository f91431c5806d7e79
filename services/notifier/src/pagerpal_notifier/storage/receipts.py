"""Delivery receipts: the strongest word of each message, and the notification that it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pagerpal_common.vocabulary import Channel, NotificationStatus, ReceiptState
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.page import Told
from pagerpal_notifier.domain.receipts import Word

# In order of id throughout, so that two processes with the same receipts wait for each other and never deadlock.
_WORDS = """
unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:names AS text[]), CAST(:codes AS int[]),
       CAST(:permanences AS boolean[]), CAST(:times AS timestamptz[]))
    AS word(message_id, state, name, error_code, is_permanent, received_at)
"""
_INSERT = text(f"""
INSERT INTO notification.receipts (message_id, state, name, error_code, is_permanent, received_at, is_matched)
SELECT word.*, false FROM {_WORDS} ORDER BY message_id ON CONFLICT DO NOTHING
""")
_LOCK = text("""
SELECT message_id, state, name, error_code, is_permanent, received_at FROM notification.receipts
WHERE message_id = ANY(:ids) ORDER BY message_id FOR UPDATE
""")
_UPDATE = text(f"""
UPDATE notification.receipts r
SET state = word.state, name = word.name, error_code = word.error_code, is_permanent = word.is_permanent,
    received_at = word.received_at,
    is_matched = EXISTS (SELECT FROM notification.attempts a WHERE a.attempt_id = r.message_id)
FROM {_WORDS} WHERE r.message_id = word.message_id
""")
# Only a notification's last message speaks for it: an earlier one went elsewhere, or was definitely refused. And it
# speaks for all that it told of.
_LOCK_TOLD = text("""
SELECT n.id AS notification_id, n.incident_id, n.page_request_id, n.step, n.attempts, n.status, n.channel,
       n.provider_message_id AS message_id
FROM notification.attempts a
JOIN notification.notifications n ON n.provider_message_id = a.attempt_id
WHERE a.attempt_id = ANY(:ids)
ORDER BY n.id FOR UPDATE OF n
""")
_MATCHING = text("""
SELECT r.message_id FROM notification.receipts r JOIN notification.attempts a ON a.attempt_id = r.message_id
WHERE NOT r.is_matched LIMIT :limit
""")
_FORGET = text("""
DELETE FROM notification.receipts WHERE NOT is_matched AND message_id IN (
    SELECT message_id FROM (
        SELECT message_id, received_at, row_number() OVER (ORDER BY received_at DESC) AS place
        FROM notification.receipts WHERE NOT is_matched
    ) AS unmatched
    WHERE received_at < :before OR place > :keep
)
""")


async def lock_words(tx: AsyncConnection, words: Mapping[UUID, Word]) -> dict[UUID, Word]:
    """What is known of these messages, held until the transaction ends; of a new one, the word given."""
    await tx.execute(_INSERT, _parameters(words))
    rows = (await tx.execute(_LOCK, {"ids": list(words)})).mappings()
    return {row["message_id"]: _word(row) for row in rows}


async def save_words(tx: AsyncConnection, words: Mapping[UUID, Word]) -> None:
    """Write down what is known by now of messages that the caller holds, and whether they are ours."""
    await tx.execute(_UPDATE, _parameters(words))


async def lock_told(tx: AsyncConnection, message_ids: Sequence[UUID]) -> list[Told]:
    """The notifications whose last message is one of these, held until the transaction ends."""
    rows = (await tx.execute(_LOCK_TOLD, {"ids": list(message_ids)})).mappings()
    return [
        Told(**{**row, "status": NotificationStatus(row["status"]), "channel": Channel(row["channel"])}) for row in rows
    ]


async def list_matching(tx: AsyncConnection, *, limit: int) -> list[UUID]:
    """Messages of receipts that came before their attempt, and whose attempt is there now."""
    return list((await tx.execute(_MATCHING, {"limit": limit})).scalars())


async def find_words(tx: AsyncConnection, message_ids: Sequence[UUID]) -> dict[UUID, Word]:
    """What is known of these messages."""
    rows = (await tx.execute(_LOCK, {"ids": list(message_ids)})).mappings()
    return {row["message_id"]: _word(row) for row in rows}


async def forget_unmatched(tx: AsyncConnection, *, before: datetime, keep: int) -> int:
    """Delete receipts of messages that are not ours: those from before that time, and all but the newest `keep`."""
    return (await tx.execute(_FORGET, {"before": before, "keep": keep})).rowcount


def _parameters(words: Mapping[UUID, Word]) -> dict[str, list[Any]]:
    return {
        "ids": list(words),
        "states": [word.state for word in words.values()],
        "names": [word.name for word in words.values()],
        "codes": [word.error_code for word in words.values()],
        "permanences": [word.is_permanent for word in words.values()],
        "times": [word.received_at for word in words.values()],
    }


def _word(row: Mapping[Any, Any]) -> Word:
    return Word(ReceiptState(row["state"]), row["name"], row["error_code"], row["is_permanent"], row["received_at"])
