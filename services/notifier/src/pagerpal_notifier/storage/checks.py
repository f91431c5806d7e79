"""Checks of contact methods, read from web's schema, and the codes that were sent for them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from pagerpal_common.codes import KeptCode
from pagerpal_common.vocabulary import Channel, CheckKind
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEPT = timedelta(hours=1)
"""How long the row of a code stays. It holds for ten minutes."""

# The secret is that of the method whose address this still is.
_FIND = text("""
SELECT c.id AS check_id, c.kind, c.channel, c.address, m.signing_secret
FROM directory.contact_checks c
LEFT JOIN directory.contact_methods m
    ON m.id = c.method_id AND m.user_id = c.user_id AND m.channel = c.channel AND m.address = c.address
WHERE c.id = :check_id AND c.is_open
""")
_INSERT = text("""
INSERT INTO notification.contact_codes (check_id, salt, code_hash, created_at)
VALUES (:check_id, :salt, :code_hash, :now) ON CONFLICT DO NOTHING RETURNING check_id
""")
_FORGET = text("DELETE FROM notification.contact_codes WHERE created_at < :before")


@dataclass(frozen=True)
class Check:
    """A code or a test page that somebody wants sent to themselves."""

    check_id: UUID
    kind: CheckKind
    channel: Channel
    address: str = field(repr=False)
    signing_secret: str | None = field(repr=False)


async def find_check(tx: AsyncConnection, check_id: UUID) -> Check | None:
    """The check with this id; None when there is none, or it is over."""
    row = (await tx.execute(_FIND, {"check_id": check_id})).mappings().one_or_none()
    if row is None:
        return None
    return Check(**{**row, "kind": CheckKind(row["kind"]), "channel": Channel(row["channel"])})


async def insert_code(tx: AsyncConnection, check_id: UUID, code: KeptCode, *, now: datetime) -> bool:
    """Keep the code of a check; False when it has one already. Old ones are forgotten."""
    await tx.execute(_FORGET, {"before": now - KEPT})
    values = {"check_id": check_id, "salt": code.salt, "code_hash": code.code_hash, "now": now}
    return (await tx.execute(_INSERT, values)).first() is not None
