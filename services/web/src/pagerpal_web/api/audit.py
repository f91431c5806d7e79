"""Who did what, when and from where: `GET /api/v1/audit`, for admins."""

from typing import Annotated

from pagerpal_common.http import Call, Endpoint
from pagerpal_common.vocabulary import Role
from pydantic import Field, StringConstraints

from pagerpal_web.api.rows import Page
from pagerpal_web.context import Context
from pagerpal_web.fields import Id, Instant
from pagerpal_web.storage.audit import Action, AuditEvent, list_events


class AuditPage(Page):
    """A stretch of the log, the newest line first: `after` is the id of the last line that one has."""

    actor_user_id: Id | None = None
    action: Action | None = None
    target_kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None
    """What the line is about: `user`, `alert_source`, …"""
    target_id: Id | None = None
    since: Instant | None = Field(None, alias="from")
    until: Instant | None = Field(None, alias="to")
    """The line's time: from this moment, up to but not including that."""


async def list_audit(ctx: Context, call: Call[AuditPage]) -> list[AuditEvent]:
    """The newest first."""
    wanted = call.body
    filters = wanted.model_dump(include={"actor_user_id", "action", "target_kind", "target_id"}, exclude_none=True)
    async with ctx.db.begin() as tx:
        return await list_events(
            tx, filters, since=wanted.since, until=wanted.until, limit=wanted.limit, after=wanted.after
        )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/v1/audit", list_audit, Role.ADMIN, AuditPage, gives=list[AuditEvent]),
)
