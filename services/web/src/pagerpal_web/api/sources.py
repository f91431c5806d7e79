"""Alert sources and their keys: `/api/v1/alert-sources`."""

import hashlib
import secrets
from typing import Any

from pagerpal_common.http import Body, Call, Endpoint, json_response
from pagerpal_common.schema.policies import alert_sources
from pagerpal_common.vocabulary import Role, SourceType
from pydantic import ConfigDict
from sqlalchemy import null
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from pagerpal_web.api.rows import Page, changes, listed, shown, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Id, JsonObject, Name
from pagerpal_web.masking import with_secrets_of
from pagerpal_web.storage.audit import Action, Author, Event, record
from pagerpal_web.storage.incidents import check_no_open_incident
from pagerpal_web.storage.resources import delete_row, get_row, insert_row, update_row
from pagerpal_web.storage.sources import SOURCES, AlertSource, RevealedSource, check_policy, check_teams


class NewSource(Body):
    """A monitoring system that may post alerts for a team. Without a policy of its own the team's default holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"team_id": 1, "name": "Production Grafana", "source_type": "grafana", "config": None}]
        }
    )

    team_id: Id
    name: Name
    source_type: SourceType
    config: JsonObject | None = None
    escalation_policy_id: Id | None = None


ChangedSource = subset_of(NewSource, "team_id", "source_type", is_active=bool)


async def list_sources(ctx: Context, call: Call[Page]) -> list[AlertSource]:
    """List alert sources with masked keys."""
    return await listed(ctx, SOURCES, call)


async def get_source(ctx: Context, call: Call[None]) -> AlertSource:
    """Show an alert source with its key masked."""
    return await shown(ctx, SOURCES, call)


async def create_source(ctx: Context, call: Call[NewSource]) -> Response:
    """Create a monitored alert source.

    The answer reveals its key, once: configure the monitoring system with it.
    """
    key = _new_key()
    values = {**_stored(call.body.model_dump(), None), **_kept(key), "created_at": ctx.now()}
    async with ctx.db.begin() as tx:
        if call.body.escalation_policy_id is not None:
            await check_policy(tx, call.body.escalation_policy_id, team_id=call.body.team_id)
        await check_teams(tx, call.body.config)
        source = await insert_row(tx, SOURCES, values, author_of(ctx, call))
        await _note_revealed(tx, source.id, author_of(ctx, call))
    return _revealed(source, key, 201)


async def update_source(ctx: Context, call: Call[Body]) -> AlertSource:
    """Change an alert source, or switch it off and on (`is_active`)."""
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, call.ids, lock=True)
        wanted = _stored(changes(call), source.config)
        if wanted.get("escalation_policy_id") is not None:
            await check_policy(tx, wanted["escalation_policy_id"], team_id=source.team_id)
        await check_teams(tx, changes(call).get("config"))
        return await update_row(tx, SOURCES, source.id, wanted, author_of(ctx, call))


async def delete_source(ctx: Context, call: Call[None]) -> None:
    """Remove an alert source that has no open incident."""
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, call.ids, lock=True)
        await check_no_open_incident(tx, "alert source", "source_id", source.id)
        await delete_row(tx, SOURCES, source.id, author_of(ctx, call))


async def regenerate_key(ctx: Context, call: Call[None]) -> Response:
    """Rotate a source key: the answer reveals the new one, once, and the old one ends within seconds."""
    key = _new_key()
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, call.ids, lock=True)
        # Whoever still uses the old key is told from a stranger, and shown at the source.
        before = {"previous_key_hash": alert_sources.c.key_hash}
        source = await update_row(tx, SOURCES, source.id, {**_kept(key), **before}, author_of(ctx, call))
        await _note_revealed(tx, source.id, author_of(ctx, call))
    return _revealed(source, key, 200)


async def _note_revealed(tx: AsyncConnection, source_id: int, by: Author) -> None:
    """The answer to this request is the one place where the key can be read."""
    await record(tx, by, Event(Action.KEY_REVEALED, SOURCES.kind, source_id))


def _new_key() -> str:
    """256 random bits behind a prefix that secret scanners and log filters can look for."""
    return "pp_" + secrets.token_urlsafe(32)


def _kept(key: str) -> dict[str, Any]:
    """What is stored of a key: enough to recognise it, and to tell keys apart by eye."""
    return {"key_hash": hashlib.sha256(key.encode()).digest(), "key_first8": key[:8], "key_last4": key[-4:]}


def _stored(values: dict[str, Any], config_before: dict[str, Any] | None) -> dict[str, Any]:
    """Secrets that come back masked stay; and no config is SQL's null, not the JSON value null."""
    if "config" not in values:
        return values
    config = with_secrets_of(values["config"], config_before)
    return {**values, "config": null() if config is None else config}


def _revealed(source: AlertSource, key: str, status: int) -> Response:
    answer = RevealedSource(**source.model_dump(), api_key=key)
    return json_response(answer, status, {"Cache-Control": "no-store"})


_SOURCE_PATH = "/api/v1/alert-sources/{source_id:int}"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/alert-sources",
        create_source,
        Role.ADMIN,
        NewSource,
        201,
        gives=RevealedSource,
        refuses=(400,),
    ),
    Endpoint("GET", "/api/v1/alert-sources", list_sources, Role.VIEWER, Page, gives=list[AlertSource]),
    Endpoint("GET", _SOURCE_PATH, get_source, Role.VIEWER, gives=AlertSource),
    Endpoint("PATCH", _SOURCE_PATH, update_source, Role.ADMIN, ChangedSource, gives=AlertSource, refuses=(400,)),
    Endpoint("DELETE", _SOURCE_PATH, delete_source, Role.ADMIN, status=204, refuses=(409,)),
    Endpoint("POST", _SOURCE_PATH + "/regenerate-key", regenerate_key, Role.ADMIN, gives=RevealedSource),
)
