"""Columns that many tables share."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Double, Identity, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def identity() -> Column[int]:
    """The row's own number, as the API shows it."""
    return Column("id", BigInteger, Identity(), primary_key=True)


def instant(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment, stored with its zone; the writer gives it, never the database's clock."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """The column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def outbox(schema: str) -> Table:
    """Messages written in the transaction that made them true, until the relay has handed them to the bus.

    A row is claimed by its being there (`FOR UPDATE SKIP LOCKED`), never by its position: numbers are taken before
    the commit, so rows appear out of order, and reading "after the last one seen" loses some for ever.
    """
    return Table(
        "outbox",
        metadata,
        identity(),
        Column("message_id", UUID(as_uuid=True), nullable=False),
        Column("topic", Text, nullable=False),
        Column("body", JSONB, nullable=False),
        instant("created_at"),
        schema=schema,
    )


def loop_runs(schema: str) -> Table:
    """When each of the owner's loops last did its work: one row each, whichever replica it was (`heartbeat.py`)."""
    return Table(
        "loop_runs",
        metadata,
        Column("name", Text, primary_key=True),
        Column("every_seconds", Double, nullable=False),  # its pause when there is nothing to do
        instant("last_run_at", nullable=True),  # the end of its last tick that succeeded; null before the first
        Column("last_error", Text),  # the class of what it has failed with since then
        schema=schema,
        postgresql_with={"fillfactor": 50},  # rewritten all the time, and in place
    )
