"""How are many rows written in one statement? As one array per column, which PostgreSQL unnests.

One statement for 200 rows this way costs about what a single row does; compiling a VALUES list of as many costs
twenty times more of the client's time.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

Row = Mapping[str, Any]


def insert(table: Table, names: Sequence[str], *, then: str = "") -> str:
    """An INSERT of these columns for any number of rows; `then` is its ON CONFLICT or RETURNING."""
    listed = ", ".join(names)
    return f"INSERT INTO {table.fullname} ({listed}) SELECT {listed} FROM {_unnest(table, names)} {then}"


def update(table: Table, names: Sequence[str], *, tag: str = "") -> str:
    """An UPDATE by `id` of these columns for any number of rows; `tag` tells it from an INSERT in one statement."""
    changed = ", ".join(f"{name} = new.{name}" for name in names if name != "id")
    return f"UPDATE {table.fullname} AS old SET {changed} FROM {_unnest(table, names, tag)} WHERE old.id = new.id"


def columns(table: Table, rows: Iterable[Row], names: Sequence[str], *, tag: str = "") -> dict[str, list[Any]]:
    """The rows turned into one list per column, of two or more: the parameters of such a statement."""
    values = itemgetter(*names)
    turned = list(zip(*map(values, rows), strict=True)) or [()] * len(names)
    return {_parameter(table, name, tag): list(column) for name, column in zip(names, turned, strict=True)}


def _unnest(table: Table, names: Sequence[str], tag: str = "") -> str:
    arrays = ", ".join(_array(table.c[name], _parameter(table, name, tag)) for name in names)
    return f"unnest({arrays}) AS new({', '.join(names)})"


def _array(column: Column[Any], parameter: str) -> str:
    if isinstance(column.type, JSONB):
        return f"CAST(CAST(:{parameter} AS text[]) AS jsonb[])"  # JSON travels as its text
    return f"CAST(:{parameter} AS {column.type.compile(dialect=postgresql.dialect())}[])"  # type: ignore[no-untyped-call]


def _parameter(table: Table, name: str, tag: str) -> str:
    """Named by its table as well, so that one statement can write several."""
    return f"{tag}{table.name}_{name}"
