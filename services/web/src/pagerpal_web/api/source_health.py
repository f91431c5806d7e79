"""How is an alert source doing? `/api/v1/alert-sources/{id}/health`."""

from pagerpal_common.http import Call, Endpoint
from pagerpal_common.vocabulary import Role

from pagerpal_web.context import Context
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.source_health import SourceHealth, find_health
from pagerpal_web.storage.sources import SOURCES


async def get_health(ctx: Context, call: Call[None]) -> SourceHealth:
    """When the source was last heard, how much it sends, what became of that, and what was refused."""
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, call.ids)
        return await find_health(tx, source.id, is_active=source.is_active, at=ctx.now())


ENDPOINTS = (
    Endpoint("GET", "/api/v1/alert-sources/{source_id:int}/health", get_health, Role.VIEWER, gives=SourceHealth),
)
