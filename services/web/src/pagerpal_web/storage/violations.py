"""What does a broken constraint mean to the person who asked? The one place that knows constraints by name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pagerpal_common.db import violated
from pagerpal_common.errors import Conflict, Invalid
from sqlalchemy import Column, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.tables import NOUNS, WHOLES

_CONFLICTS: Mapping[str, str] = {
    "users_email_key": "another user has this email address",
    "contact_methods_user_id_channel_address_key": "the user has a contact method of this channel and address already",
    "team_members_team_id_user_id_key": "this user is a member of the team already",
    "schedule_entries_no_overlap": "this overlaps another entry of the schedule; only overrides may (is_override)",
    "escalation_levels_policy_id_level_number_key": "the escalation policy has a level with this number already",
}

_REFERENCES: Mapping[str, Column[Any]] = {
    f"{table.name}_{column.name}_fkey": column for table in NOUNS for column in table.c if column.foreign_keys
}
"""Every column that points at another table, by the name of its constraint (`schema/columns.py`)."""


@contextmanager
def refusing(values: Mapping[str, Any]) -> Iterator[None]:
    """Turns what the constraints say against writing `values` into a refusal. The transaction is then over.

    Raises:
        Conflict: it contradicts a row that is there.
        Invalid: it names a row that is not there.
    """
    try:
        yield
    except IntegrityError as error:
        constraint = violated(error)
        if constraint in _CONFLICTS:
            raise Conflict(_CONFLICTS[constraint]) from error
        reference = _REFERENCES.get(constraint)
        if reference is None:
            raise
        (target,) = reference.foreign_keys
        raise Invalid(f"there is no {NOUNS[target.column.table]} {values[reference.name]}") from error


@contextmanager
def noting_use() -> Iterator[list[Column[Any]]]:
    """Collects the column that still points at a row which was to be deleted; empty when none did."""
    users: list[Column[Any]] = []
    try:
        yield users
    except IntegrityError as error:
        reference = _REFERENCES.get(violated(error))
        if reference is None:
            raise
        users.append(reference)


async def first_user(tx: AsyncConnection, reference: Column[Any], row_id: int) -> str:
    """The row that uses this one, in words: `assignee 3 of escalation level 2 of escalation policy 1`."""
    table = reference.table
    query = select(table.c.id).where(reference == row_id).order_by(table.c.id).limit(1)
    found = (await tx.execute(query)).scalar_one()
    words = f"{NOUNS[table]} {found}"
    while table in WHOLES:
        whole, column = WHOLES[table]
        found = (await tx.execute(select(column).where(table.c.id == found))).scalar_one()
        words += f" of {NOUNS[whole]} {found}"
        table = whole
    return words
