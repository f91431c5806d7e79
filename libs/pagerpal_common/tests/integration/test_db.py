"""What the database handle makes of trouble: our own, and other people's mistakes."""

from collections.abc import Callable

import pytest
from pagerpal_common.db import Database, connect, violated
from pagerpal_common.errors import DatabaseUnavailable
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

Open = Callable[[str | None], Database]


async def test_a_server_that_is_not_there_is_our_trouble() -> None:
    database = connect("postgresql://nobody@127.0.0.1:1/none", role=None)

    with pytest.raises(DatabaseUnavailable):
        async with database.begin():
            pass


async def test_a_role_that_is_not_there_yet_is_our_trouble(database_url: str) -> None:
    """A service may be started before the first migration."""
    handle = connect(database_url, role="nobody_has_this_one")

    with pytest.raises(DatabaseUnavailable, match="pagerpal_nobody_has_this_one"):
        async with handle.begin():
            pass
    await handle.close()


async def test_a_schema_that_is_not_migrated_yet_is_our_trouble(database: Open) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with database(None).begin() as tx:
            await tx.execute(text("SELECT * FROM incidents.not_there_yet"))


@pytest.mark.parametrize("setting", ["default_transaction_read_only = on"])
async def test_a_server_that_became_read_only_is_left_behind(database: Open, setting: str) -> None:
    """After a failover the old primary refuses writes; the pool must not keep its connection."""
    handle = database(None)
    async with handle.begin() as tx:
        first = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await tx.execute(text(f"SET {setting}"))
    with pytest.raises(DatabaseUnavailable):
        async with handle.begin() as tx:
            await tx.execute(text("DELETE FROM ingest.spool"))

    async with handle.begin() as tx:
        assert (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one() != first


async def test_a_terminated_connection_is_replaced(database: Open) -> None:
    handle, other = database("web"), database(None)
    async with handle.begin() as tx:
        pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with other.begin() as tx:
        await tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with pytest.raises(DatabaseUnavailable):
        async with handle.begin() as tx:
            await tx.execute(text("SELECT 1"))
    async with handle.begin() as tx:
        assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_broken_rule_is_named_and_is_nobodys_trouble(database: Open) -> None:
    insert = text("INSERT INTO directory.teams (id, name, created_at) VALUES (1, 'core', now())")
    handle = database("web")
    async with handle.begin() as tx:
        await tx.execute(insert)

    with pytest.raises(IntegrityError) as caught:
        async with handle.begin() as tx:
            await tx.execute(insert)

    assert violated(caught.value) == "teams_pkey"
