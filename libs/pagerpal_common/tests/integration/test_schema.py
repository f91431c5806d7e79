"""The migrated database: it is what the tables say, and each service may write only what it owns."""

from collections.abc import Callable

import pytest
from alembic import command
from pagerpal_common.db import Database, asyncpg_url
from pagerpal_common.migrations import alembic_config, upgrade
from pagerpal_common.schema import APPEND_ONLY, OWNERS, SECRET
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
            if table not in APPEND_ONLY:
                await tx.execute(text(f"DELETE FROM {table.fullname}"))
        for table in TABLES:
            if table not in SECRET or table in OWNERS[service]:
                await tx.execute(text(f"SELECT * FROM {table.fullname} LIMIT 1"))


@pytest.mark.parametrize("table", SECRET, ids=lambda table: table.name)
@pytest.mark.parametrize("service", [service for service in OWNERS if service != "web"])
async def test_nobody_but_web_reads_password_hashes_sessions_and_the_audit_log(
    shared_database: Open, service: str, table: Table
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with shared_database(service).begin() as tx:
            await tx.execute(text(f"SELECT * FROM {table.fullname}"))


@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("service", OWNERS)
async def test_nobody_changes_what_is_in_the_audit_log_not_even_who_writes_it(
    database: Open, service: str, statement: str
) -> None:
    line = "INSERT INTO directory.audit_events (created_at, action, data) VALUES (now(), 'login', '{}')"
    async with database("web").begin() as tx:
        await tx.execute(text(line))

    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database(service).begin() as tx:
            await tx.execute(text(statement.format("directory.audit_events")))


@pytest.mark.parametrize(("role", "marks"), [("viewer", 0), ("admin", 1)])
async def test_a_database_that_has_an_admin_is_not_open_for_a_first_one(
    role: str, marks: int, database_url: str, database: Open
) -> None:
    await _as_of("0001", database_url)
    user = (
        "INSERT INTO directory.users (name, email, role, timezone, created_at) VALUES ('A', 'a', :role, 'UTC', now())"
    )
    async with database(None).begin() as tx:
        await tx.execute(text(user), {"role": role})

    await upgrade(database_url)

    async with database("web").begin() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM directory.first_admin")) == marks


async def test_a_service_takes_its_role_on_connect(shared_database: Open) -> None:
    async with shared_database("ingest").begin() as tx:
        assert (await tx.execute(text("SELECT current_user"))).scalar_one() == "pagerpal_ingest"


async def _as_of(revision: str, database_url: str) -> None:
    """Take the database back to an older schema, without anything in it."""
    schemas = ", ".join(sorted({str(table.schema) for table in TABLES}))
    engine = create_async_engine(asyncpg_url(database_url))
    async with engine.connect() as connection:
        for what in (f"SCHEMA {schemas} CASCADE", "TABLE alembic_version", "EXTENSION btree_gist"):
            await connection.execute(text(f"DROP {what}"))
        await connection.commit()
        await connection.run_sync(lambda c: command.upgrade(alembic_config(c), revision))
        await connection.commit()
    await engine.dispose()
