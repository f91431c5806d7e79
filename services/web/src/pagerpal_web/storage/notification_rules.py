"""What people have said of how they want to be paged."""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.errors import Conflict
from pagerpal_common.schema.directory import notification_rules as rules
from pagerpal_common.vocabulary import Channel, RuleSeverity
from pydantic import Field
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.resources import Resource, View, insert_row
from pagerpal_web.storage.users import USERS, User

MOST_RULES = 20


class NotificationRule(View):
    """One step: for incidents of this severity, by this way, so long after the page was asked for."""

    user_id: int
    severity: RuleSeverity
    contact_method_id: int | None
    """A verified contact method; null when it is by the person's own phone or mail."""
    channel: Channel | None = Field(examples=["sms"])
    """By the person's own phone or mail; null when it is by a contact method."""
    delay_seconds: int


NOTIFICATION_RULES = Resource(
    table=rules,
    view=NotificationRule,
    query=select(*(rules.c[name] for name in NotificationRule.model_fields)),
    ids={"user_id": rules.c.user_id, "rule_id": rules.c.id},
    parent=USERS,
)


async def insert_rule(tx: AsyncConnection, user: User, values: Mapping[str, Any], by: Author) -> NotificationRule:
    """A new rule of somebody whose row the caller holds. Raises Conflict when they have as many as anybody may have."""
    query = text("SELECT count(*) FROM directory.notification_rules WHERE user_id = :user_id")
    if await tx.scalar(query, {"user_id": user.id}) >= MOST_RULES:
        raise Conflict(f"a user has at most {MOST_RULES} notification rules")
    return await insert_row(tx, NOTIFICATION_RULES, {**values, "user_id": user.id}, by)
