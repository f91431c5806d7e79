"""What is the same for every management resource? To list, find, insert, update and delete its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Annotated, Any, Generic, TypeVar

from pagerpal_common.errors import Conflict, NotFound
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Select, Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import ScalarSelect

from pagerpal_web.storage.tables import NOUNS, PARTS, WHOLES
from pagerpal_web.storage.violations import first_user, noting_use, refusing

Moment = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]
"""An instant out of the database, in UTC even where it comes as text inside JSON."""


class View(BaseModel):
    """A row as the API shows it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    id: int


V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class Resource(Generic[V]):
    """A table as the API shows it."""

    table: Table
    view: type[V]
    query: Select[Any]
    """Selects the fields of `view`."""
    ids: Mapping[str, ColumnElement[int]]
    """What each id in its path stands for, outermost first; the last one is the row's own."""
    parent: "Resource[Any] | None" = None

    @property
    def noun(self) -> str:
        """What messages call one of it."""
        return NOUNS[self.table]

    @property
    def own_id(self) -> str:
        """The name of the row's own id in a path."""
        return list(self.ids)[-1]

    def where(self, ids: Mapping[str, int]) -> Select[Any]:
        """The rows that all these ids agree on: a row under another parent is not there."""
        return self.query.where(*(column == ids[name] for name, column in self.ids.items() if name in ids))


async def list_rows(
    tx: AsyncConnection, resource: Resource[V], ids: Mapping[str, int], *, limit: int, after: int
) -> list[V]:
    """At most `limit` of the rows under these ids whose own id is greater than `after`, in order of it.

    Raises:
        NotFound: there is no such parent.
    """
    if resource.parent is not None:
        await get_row(tx, resource.parent, ids)
    own = resource.table.c.id
    query = resource.where(ids).where(own > after).order_by(own).limit(limit)
    return [resource.view.model_validate(dict(row)) for row in (await tx.execute(query)).mappings()]


async def get_row(tx: AsyncConnection, resource: Resource[V], ids: Mapping[str, int], *, lock: bool = False) -> V:
    """The row with these ids; with `lock` it is held until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    query = resource.where(ids)
    if lock:
        query = query.with_for_update(of=resource.table)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no {resource.noun} {ids[resource.own_id]}")
    return resource.view.model_validate(dict(row))


async def insert_row(tx: AsyncConnection, resource: Resource[V], values: Mapping[str, Any]) -> V:
    """Write a new row, and read it back.

    Raises:
        Conflict: it contradicts another one.
        Invalid: it names something that does not exist.
    """
    table = resource.table
    with refusing(values):
        row_id = (await tx.execute(insert(table).values(values).returning(table.c.id))).scalar_one()
    return await _read_back(tx, resource, row_id)


async def update_row(tx: AsyncConnection, resource: Resource[V], row_id: int, changes: Mapping[str, Any]) -> V:
    """Change some columns of a row that is there, and read it back. Raises the same as `insert_row`."""
    table = resource.table
    if changes:
        with refusing(changes):
            await tx.execute(update(table).where(table.c.id == row_id).values(changes))
    return await _read_back(tx, resource, row_id)


async def delete_row(tx: AsyncConnection, resource: Resource[V], row_id: int) -> None:
    """Delete a row with its parts.

    Raises:
        Conflict: something else still uses it; the text names that.
    """
    table = resource.table
    with noting_use() as references:
        async with tx.begin_nested():  # after a broken constraint only what came before can go on
            await _delete_parts(tx, table, select(table.c.id).where(table.c.id == row_id).scalar_subquery())
            await tx.execute(delete(table).where(table.c.id == row_id))
    for reference in references:
        user = await first_user(tx, reference, row_id)
        raise Conflict(f"{resource.noun} {row_id} is still used by {user}")


def json_object(columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """A JSON object of these columns, to show a row inside another one."""
    return func.jsonb_build_object(*(part for pair in columns.items() for part in pair))


async def _read_back(tx: AsyncConnection, resource: Resource[V], row_id: int) -> V:
    row = (await tx.execute(resource.query.where(resource.table.c.id == row_id))).mappings().one()
    return resource.view.model_validate(dict(row))


async def _delete_parts(tx: AsyncConnection, table: Table, wholes: ScalarSelect[int]) -> None:
    part = PARTS.get(table)
    if part is None:
        return
    _, column = WHOLES[part]
    await _delete_parts(tx, part, select(part.c.id).where(column.in_(wholes)).scalar_subquery())
    await tx.execute(delete(part).where(column.in_(wholes)))
