"""Is a database that another test has had as good as a new one?"""

import asyncpg
import pytest
from pagerpal_common.testing.databases import Databases
from sqlalchemy import make_url

TEAM = "INSERT INTO directory.teams (name, created_at) VALUES ('Platform', now()) RETURNING id"


async def connected(databases: Databases, name: str) -> asyncpg.Connection:
    url = make_url(databases.url(name)).set(drivername="postgresql")
    return await asyncpg.connect(url.render_as_string(hide_password=False))


async def given_back_after(databases: Databases, *statements: str) -> tuple[str, str]:
    """The names of a database to which this was done, and of the next one that was to be had."""
    first = await databases.take()
    connection = await connected(databases, first)
    oid = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    for statement in statements:
        await connection.execute(statement)
    await databases.give_back(first)
    await connection.close()
    second = await databases.take()
    connection = await connected(databases, second)
    is_same = oid == await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    await connection.close()
    return ("the same" if is_same else "another"), second


async def test_rows_are_gone_and_numbers_begin_anew_and_who_was_connected_is_not(databases: Databases) -> None:
    first = await databases.take()
    left = await connected(databases, first)
    assert await left.fetchval(TEAM) == 1
    await left.execute("INSERT INTO directory.users (name, email, role, timezone, is_active, created_at)"
                       " VALUES ('Ana', 'ana@example.org', 'admin', 'UTC', true, now())")  # fmt: skip
    await left.execute("INSERT INTO directory.team_members (team_id, user_id) VALUES (1, 1)")

    await databases.give_back(first)
    second = await databases.take()

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await left.execute("SELECT 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connected(databases, first)
    connection = await connected(databases, second)
    for table in ("teams", "users", "team_members"):
        assert await connection.fetchval(f"SELECT count(*) FROM directory.{table}") == 0
    assert await connection.fetchval(TEAM) == 1
    await connection.close()
    await databases.give_back(second)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE directory.teams ADD code text",
        "ALTER TABLE directory.teams DISABLE TRIGGER ALL",
        "DROP INDEX incidents.incidents_open_key",
        "CREATE TABLE public.mine ()",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "GRANT DELETE ON directory.teams TO pagerpal_ingest",
        "REVOKE SELECT ON directory.teams FROM pagerpal_ingest",
        "ALTER TABLE directory.teams ALTER description SET DEFAULT 'none'",
        "CREATE UNIQUE INDEX one_name ON directory.teams (name)",
        "CREATE SCHEMA mine",
        "DROP SCHEMA notification CASCADE",
    ],
)
async def test_one_that_has_another_shape_is_not_given_to_the_next(databases: Databases, statement: str) -> None:
    which, name = await given_back_after(databases, TEAM, statement)

    assert which == "another"
    connection = await connected(databases, name)
    assert await connection.fetchval("SELECT count(*) FROM directory.teams") == 0
    await connection.close()
    await databases.give_back(name)


async def test_one_with_a_setting_of_its_own_or_with_much_in_it_is_not_either(databases: Databases) -> None:
    names = "SELECT n || repeat('x', 90), now() FROM generate_series(1, 40000) n"
    many = f"INSERT INTO directory.teams (name, created_at) {names}"
    setting = (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$"
    )

    for statement in (many, setting):
        which, name = await given_back_after(databases, statement)
        assert which == "another", statement
        await databases.give_back(name)


async def test_one_that_has_only_had_rows_is(databases: Databases) -> None:
    which, name = await given_back_after(databases, TEAM, "UPDATE directory.teams SET name = 'Other'")

    assert which == "the same"
    await databases.give_back(name)
