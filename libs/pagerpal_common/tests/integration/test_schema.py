"""The migrated database: it is what the tables say, and each service may write only what it owns."""

from collections.abc import Callable

import pytest
from alembic import command
from pagerpal_common.db import Database, asyncpg_url
from pagerpal_common.migrations import alembic_config, upgrade
from pagerpal_common.schema import OWNERS, SECRET
from sqlalchemy import Table, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

Open = Callable[[str | None], Database]

TABLES = [table for tables in OWNERS.values() for table in tables]
FOREIGN = [
    pytest.param(service, table, id=f"{service}-{table.fullname}")
    for service in OWNERS
    for owner, tables in OWNERS.items()
    for table in tables
    if owner != service
]


async def test_the_migrations_lead_to_the_tables_of_today(database_url: str) -> None:
    engine = create_async_engine(asyncpg_url(database_url))
    async with engine.connect() as connection:
        await connection.run_sync(lambda c: command.check(alembic_config(c)))
    await engine.dispose()


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await upgrade(database_url)


@pytest.mark.parametrize(("service", "table"), FOREIGN)
@pytest.mark.parametrize("statement", ["INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET {} = {}", "DELETE FROM {}"])
async def test_a_service_cannot_write_what_another_owns(
    shared_database: Open, service: str, table: Table, statement: str
) -> None:
    column = next(iter(table.columns)).name
    query = statement.format(table.fullname, column, column)

    with pytest.raises(ProgrammingError, match="permission denied"):
        async with shared_database(service).begin() as tx:
            await tx.execute(text(query))


@pytest.mark.parametrize("service", OWNERS)
async def test_a_service_writes_what_it_owns_and_reads_all_but_secrets(shared_database: Open, service: str) -> None:
    async with shared_database(service).begin() as tx:
        for table in OWNERS[service]:
            await tx.execute(text(f"DELETE FROM {table.fullname}"))
        for table in TABLES:
            if table not in SECRET or table in OWNERS[service]:
                await tx.execute(text(f"SELECT * FROM {table.fullname} LIMIT 1"))


@pytest.mark.parametrize("service", [service for service in OWNERS if service != "web"])
async def test_nobody_but_web_reads_password_hashes(shared_database: Open, service: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with shared_database(service).begin() as tx:
            await tx.execute(text("SELECT * FROM directory.credentials"))


async def test_a_service_takes_its_role_on_connect(shared_database: Open) -> None:
    async with shared_database("ingest").begin() as tx:
        assert (await tx.execute(text("SELECT current_user"))).scalar_one() == "pagerpal_ingest"
