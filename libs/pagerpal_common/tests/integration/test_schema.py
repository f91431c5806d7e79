"""The migrated database: it is what the tables say, and each service may write only what it owns."""

from collections.abc import Callable

import pytest
from alembic import command
from pagerpal_common.db import Database, asyncpg_url
from pagerpal_common.migrations import alembic_config, upgrade
from pagerpal_common.schema import APPEND_ONLY, LOOP_RUNS, OWNERS, SECRET
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


async def test_every_table_there_is_has_one_owner(shared_database: Open) -> None:
    """A table without one would be in none of the tests below."""
    async with shared_database(None).begin() as tx:
        rows = await tx.execute(
            text("""
            SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            """)
        )
        there = set(rows.scalars())

    assert there == {table.fullname for table in TABLES} | {"public.alembic_version"}
    assert len(TABLES) == len(set(TABLES))
    assert all(LOOP_RUNS[service] in OWNERS[service] for service in OWNERS)


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


@pytest.mark.parametrize("service", OWNERS)
async def test_a_service_draws_numbers_from_its_own_sequences_only(shared_database: Open, service: str) -> None:
    own = OWNERS[service][0].schema
    async with shared_database(service).begin() as tx:
        rows = await tx.execute(
            text("""
            SELECT DISTINCT sequence_schema FROM information_schema.sequences
            WHERE has_sequence_privilege(quote_ident(sequence_schema) || '.' || quote_ident(sequence_name), 'USAGE')
               OR has_sequence_privilege(quote_ident(sequence_schema) || '.' || quote_ident(sequence_name), 'UPDATE')
            """)
        )
        schemas = set(rows.scalars())

    assert schemas <= {own}


@pytest.mark.parametrize("service", OWNERS)
async def test_a_service_may_make_nothing_of_its_own(shared_database: Open, service: str) -> None:
    for statement in ("CREATE TABLE {}.mine ()", "ALTER TABLE {}.loop_runs ADD mine int", "TRUNCATE {}.loop_runs"):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            async with shared_database(service).begin() as tx:
                await tx.execute(text(statement.format(OWNERS[service][0].schema)))


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
