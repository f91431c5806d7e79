"""Alert sources, and what is kept of their keys."""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.errors import Conflict, Invalid
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


async def check_teams(tx: AsyncConnection, config: Mapping[str, Any] | None) -> None:
    """Hold the teams that a configuration lets its source route to (`routing_team_ids`) until the transaction ends.
    What is no list of numbers names none, there as in ingest.

    Raises:
        Invalid: one of them is not there.
    """
    listed = (config or {}).get("routing_team_ids")
    named = [team for team in listed if type(team) is int] if isinstance(listed, list) else []
    query = text("SELECT id FROM directory.teams WHERE id = ANY(:ids) FOR KEY SHARE")
    found = set((await tx.execute(query, {"ids": named})).scalars()) if named else set()
    for team in named:
        if team not in found:
            raise Invalid(f"there is no team {team}")


async def check_not_routed_to(tx: AsyncConnection, team_id: int) -> None:
    """Raises Conflict while a source routes alerts to this team: what they name would be nobody's."""
    query = text("""
        SELECT min(id) FROM directory.alert_sources
        WHERE config -> 'routing_team_ids' @> jsonb_build_array(CAST(:team_id AS bigint))
    """)
    source = (await tx.execute(query, {"team_id": team_id})).scalar_one()
    if source is not None:
        raise Conflict(f"team {team_id} is still used by alert source {source}, which routes alerts to it")


async def check_policy(tx: AsyncConnection, policy_id: int, *, team_id: int) -> None:
    """Raises Invalid unless there is such an escalation policy and it is this team's."""
    query = text("SELECT team_id FROM directory.escalation_policies WHERE id = :policy_id")
    found = (await tx.execute(query, {"policy_id": policy_id})).scalar_one_or_none()
    if found is None:
        raise Invalid(f"there is no escalation policy {policy_id}")
    if found != team_id:
        raise Invalid(f"escalation policy {policy_id} is another team's")
