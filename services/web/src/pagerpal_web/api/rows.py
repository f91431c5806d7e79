"""What do the endpoints of all resources do alike? List, show, create, change, remove: a transaction each."""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.http import LARGEST_ID, Body, Call, Query
from pydantic import Field, create_model

from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.storage.resources import Resource, V, delete_row, get_row, insert_row, list_rows, update_row


class Page(Query):
    """A stretch of a list that is in order of id. A limit out of bounds is refused, not cut."""

    limit: int = Field(200, ge=1, le=1000)
    after: int = Field(0, ge=0, le=LARGEST_ID)


def subset_of(body: type[Body], *fixed: str, **more: Any) -> type[Body]:
    """The body of a PATCH: any of the fields of the POST, but for those that stay as they were made; and more."""
    fields: dict[str, Any] = {
        name: (field.rebuild_annotation(), None) for name, field in body.model_fields.items() if name not in fixed
    }
    fields |= {name: (annotation, None) for name, annotation in more.items()}
    model: type[Body] = create_model(body.__name__.replace("New", "Changed"), __base__=Body, **fields)
    return model


def changes(call: Call[Body]) -> dict[str, Any]:
    """What a PATCH wants changed: the fields that it sent."""
    return call.body.model_dump(exclude_unset=True)


async def listed(ctx: Context, resource: Resource[V], call: Call[Page]) -> list[V]:
    """The rows under the path's ids."""
    async with ctx.db.begin() as tx:
        return await list_rows(tx, resource, call.ids, limit=call.body.limit, after=call.body.after)


async def shown(ctx: Context, resource: Resource[V], call: Call[None]) -> V:
    """The row of the path's ids."""
    async with ctx.db.begin() as tx:
        return await get_row(tx, resource, call.ids)


async def created(ctx: Context, resource: Resource[V], call: Call[Any], values: Mapping[str, Any]) -> V:
    """A new row of these values, which need no look at anything else."""
    async with ctx.db.begin() as tx:
        return await insert_row(tx, resource, values, author_of(ctx, call))


async def changed(ctx: Context, resource: Resource[V], call: Call[Body]) -> V:
    """The row of the path's ids, changed as the body says, which needs no look at anything else."""
    async with ctx.db.begin() as tx:
        row = await get_row(tx, resource, call.ids, lock=True)
        return await update_row(tx, resource, row.id, changes(call), author_of(ctx, call))


async def removed(ctx: Context, resource: Resource[Any], call: Call[None]) -> None:
    """Delete the row of the path's ids."""
    async with ctx.db.begin() as tx:
        row = await get_row(tx, resource, call.ids, lock=True)
        await delete_row(tx, resource, row.id, author_of(ctx, call))
