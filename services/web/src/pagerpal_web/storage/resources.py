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

from pagerpal_web.storage.audit import Action, Author, Event, record
from pagerpal_web.storage.tables import NOUNS, PARTS, WHOLES, kind_of
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
    def kind(self) -> str:
        """What the audit log calls one of it."""
        return kind_of(self.table)

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


async def insert_row(tx: AsyncConnection, resource: Resource[V], values: Mapping[str, Any], by: Author) -> V:
    """Write a new row and its line in the audit log, and read it back.

    Raises:
        Conflict: it contradicts another one.
        Invalid: it names something that does not exist.
    """
    table = resource.table
    with refusing(values):
        row_id = (await tx.execute(insert(table).values(values).returning(table.c.id))).scalar_one()
    row = await _read_back(tx, resource, row_id)
    await record_change(tx, resource, None, row, by)
    return row


async def update_row(
    tx: AsyncConnection, resource: Resource[V], row_id: int, changes: Mapping[str, Any], by: Author
) -> V:
    """Change some columns of a row that is there, log that, and read it back. Raises the same as `insert_row`."""
    table = resource.table
    before = await _read_back(tx, resource, row_id)
    if not changes:
        return before
    with refusing(changes):
        await tx.execute(update(table).where(table.c.id == row_id).values(changes))
    row = await _read_back(tx, resource, row_id)
    await record_change(tx, resource, before, row, by)
    return row


async def delete_row(tx: AsyncConnection, resource: Resource[V], row_id: int, by: Author) -> None:
    """Delete a row with its parts, and log that.

    Raises:
        Conflict: something else still uses it; the text names that.
    """
    table = resource.table
    before = await _read_back(tx, resource, row_id)
    with noting_use() as references:
        async with tx.begin_nested():  # after a broken constraint only what came before can go on
            parts = await _delete_parts(tx, table, select(table.c.id).where(table.c.id == row_id).scalar_subquery())
            await tx.execute(delete(table).where(table.c.id == row_id))
    for reference in references:
        user = await first_user(tx, reference, row_id)
        raise Conflict(f"{resource.noun} {row_id} is still used by {user}")
    await record_change(tx, resource, before, None, by, **({"parts": parts} if parts else {}))


async def record_change(
    tx: AsyncConnection, resource: Resource[V], before: V | None, after: V | None, by: Author, **data: Any
) -> None:
    """Log that a row was made, changed or deleted, with what is different; nothing when nothing is."""
    old, new = (None if row is None else row.model_dump(mode="json") for row in (before, after))
    if old is not None and new is not None:
        changed = [name for name in new if old[name] != new[name]]
        if not changed:
            return
        old, new = ({name: row[name] for name in changed} for row in (old, new))
    action = Action.CREATED if old is None else Action.DELETED if new is None else Action.CHANGED
    row_id = next(row.id for row in (after, before) if row is not None)
    await record(tx, by, Event(action, resource.kind, row_id, before=old, after=new, data=data))


def json_object(columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """A JSON object of these columns, to show a row inside another one."""
    return func.jsonb_build_object(*(part for pair in columns.items() for part in pair))


async def _read_back(tx: AsyncConnection, resource: Resource[V], row_id: int) -> V:
    row = (await tx.execute(resource.query.where(resource.table.c.id == row_id))).mappings().one()
    return resource.view.model_validate(dict(row))


async def _delete_parts(tx: AsyncConnection, table: Table, wholes: ScalarSelect[int]) -> dict[str, int]:
    """How many of which kind there were."""
    part = PARTS.get(table)
    if part is None:
        return {}
    _, column = WHOLES[part]
    gone = await _delete_parts(tx, part, select(part.c.id).where(column.in_(wholes)).scalar_subquery())
    count = (await tx.execute(delete(part).where(column.in_(wholes)))).rowcount
    return {**gone, **({kind_of(part): count} if count else {})}
