"""What was done here, by whom, and from where? Written in the transaction that does it; never changed afterwards."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pagerpal_common.schema.directory import audit_events, users
from pydantic import BaseModel
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.masking import masked

# Free text may hold them all the same: source keys, passwords in URLs, telephone numbers.
_SECRETS = re.compile(r"\bpp_[A-Za-z0-9_-]{8,}|(?<=//)[^/\s:@]+:[^/\s]+(?=@)|\+\d{7,15}\b")

_ADDRESSES = frozenset({"phone", "address"})
"""Fields that are masked wherever they stand: they may be a telephone number."""


class Action(StrEnum):
    """What can be in the log."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    BOOTSTRAP = "bootstrap"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word for it, and none
    ROLE_CHANGED = "role_changed"
    KEY_REVEALED = "key_revealed"
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    REPLIED = "sms_reply"
    REPLY_IGNORED = "sms_reply_ignored"


@dataclass(frozen=True)
class Author:
    """Who does something, when, from where, and in which request."""

    user_id: int | None
    """None: nobody who is known, or whoever may write the database itself (`scripts/create_admin.py`)."""
    at: datetime
    ip: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Event:
    """What is done, and to what. `before` and `after` hold the changed fields alone."""

    action: Action
    target_kind: str | None = None
    target_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class AuditEvent(BaseModel):
    """A line of the log as the API shows it."""

    id: int
    created_at: datetime
    action: str
    actor_user_id: int | None
    actor_name: str | None
    ip: str | None
    request_id: str | None
    target_kind: str | None
    target_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    data: dict[str, Any]


async def record(tx: AsyncConnection, by: Author, event: Event) -> None:
    """Add a line. It is there if, and only if, the transaction commits."""
    values = {
        "created_at": by.at,
        "actor_user_id": by.user_id,
        "ip": by.ip,
        "request_id": by.request_id,
        "action": event.action,
        "target_kind": event.target_kind,
        "target_id": event.target_id,
        "data": dict(event.data),
    }
    # SQL's null where there is nothing to say: a JSON null would be a value.
    values |= {name: _showable(part) for name in ("before", "after") if (part := getattr(event, name)) is not None}
    await tx.execute(insert(audit_events).values(values))


async def list_events(
    tx: AsyncConnection,
    filters: Mapping[str, Any],
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: int,
) -> list[AuditEvent]:
    """Lines whose columns have these values, the newest first, going on after the line with the id `after`.

    Args:
        filters: what these columns hold.
        since: no lines from before this moment.
        until: no lines from this moment on.
        limit: how many at most.
        after: an id; 0 to begin with the newest.
    """
    query = select(audit_events, users.c.name.label("actor_name")).join_from(
        audit_events, users, users.c.id == audit_events.c.actor_user_id, isouter=True
    )
    query = query.where(*(audit_events.c[name] == value for name, value in filters.items()))
    if since is not None:
        query = query.where(audit_events.c.created_at >= since)
    if until is not None:
        query = query.where(audit_events.c.created_at < until)
    if after:
        query = query.where(audit_events.c.id < after)
    rows = (await tx.execute(query.order_by(audit_events.c.id.desc()).limit(limit))).mappings()
    return [AuditEvent.model_validate(dict(row)) for row in rows]


def _showable(value: Any, name: str = "") -> Any:
    """As JSON, without what no log may hold."""
    match value:
        case str():
            return masked(value) if name in _ADDRESSES else _SECRETS.sub("[redacted]", value)
        case Mapping():
            return {key: _showable(part, key) for key, part in value.items()}
        case list() | tuple():
            return [_showable(part, name) for part in value]
    return value
