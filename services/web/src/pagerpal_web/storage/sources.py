"""Alert sources, and what is kept of their keys."""

from typing import Any

from pagerpal_common.errors import Invalid
from pagerpal_common.schema.policies import alert_sources
from pagerpal_common.vocabulary import SourceType
from pydantic import field_serializer
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.masking import without_secrets
from pagerpal_web.storage.resources import Moment, Resource, View


class AlertSource(View):
    """A monitoring system's way in. The key itself is not stored, so it cannot be shown."""

    team_id: int
    name: str
    source_type: SourceType
    config: dict[str, Any] | None
    escalation_policy_id: int | None
    masked_api_key: str
    is_active: bool
    created_at: Moment

    @field_serializer("config")
    def _shown(self, config: dict[str, Any] | None) -> dict[str, Any] | None:
        return without_secrets(config)


class RevealedSource(AlertSource):
    """An alert source together with its new key: shown once, when it is made."""

    api_key: str


SOURCES = Resource(
    table=alert_sources,
    view=AlertSource,
    query=select(
        *(alert_sources.c[name] for name in AlertSource.model_fields if name != "masked_api_key"),
        (alert_sources.c.key_first8 + "…" + alert_sources.c.key_last4).label("masked_api_key"),
    ),
    ids={"source_id": alert_sources.c.id},
)


async def check_policy(tx: AsyncConnection, policy_id: int, *, team_id: int) -> None:
    """Raises Invalid unless there is such an escalation policy and it is this team's."""
    query = text("SELECT team_id FROM directory.escalation_policies WHERE id = :policy_id")
    found = (await tx.execute(query, {"policy_id": policy_id})).scalar_one_or_none()
    if found is None:
        raise Invalid(f"there is no escalation policy {policy_id}")
    if found != team_id:
        raise Invalid(f"escalation policy {policy_id} is another team's")
