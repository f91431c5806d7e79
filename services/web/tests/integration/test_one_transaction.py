"""Handlers that each begin a transaction, and work in one."""

import pytest
from pagerpal_common.errors import DatabaseUnavailable, NotFound
from pagerpal_common.testing.rows import Rows
from pagerpal_common.testing.trips import counted
from pagerpal_web.context import Context
from pagerpal_web.one_transaction import in_one_transaction
from sqlalchemy import text


async def test_whoever_begins_a_transaction_within_it_gets_the_same_one(ctx: Context) -> None:
    with counted() as trips:
        async with in_one_transaction(ctx) as its:
            async with its.db.begin() as one:
                await one.execute(text("SELECT 1"))
            async with its.db.begin() as other:
                await other.execute(text("SELECT 2"))

    assert one is other
    assert (len(trips.statements), trips.transactions) == (2, 1)


async def test_what_never_asks_begins_none(ctx: Context) -> None:
    with counted() as trips:
        async with in_one_transaction(ctx):
            pass

    assert trips.transactions == 0


async def test_what_was_done_within_it_is_taken_back_when_it_fails(ctx: Context, rows: Rows) -> None:
    async def fail() -> None:
        async with in_one_transaction(ctx) as its:
            async with its.db.begin() as tx:
                await tx.execute(text("INSERT INTO directory.teams (name, created_at) VALUES ('x', now())"))
            raise NotFound("there is no such page")

    with pytest.raises(NotFound):
        await fail()

    assert await rows("SELECT FROM directory.teams") == []


async def test_trouble_with_the_database_is_told_as_ever(ctx: Context) -> None:
    async def fail() -> None:
        async with in_one_transaction(ctx) as its, its.db.begin() as tx:
            await tx.execute(text("SET LOCAL statement_timeout = 1"))
            await tx.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DatabaseUnavailable):
        await fail()
