"""Does the code of the previous release work on the schema of this one? As long as each migration only adds.

A roll-out migrates first and then replaces the processes one by one; a rollback leaves the schema as it is. So the old
code must find every table, column and key where it was, and nothing that refuses what it has always written. Each
migration is applied by itself, and PostgreSQL's own catalogs are asked what has changed.
"""

import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from pagerpal_common.db import Database, asyncpg_url
from pagerpal_common.migrations import alembic_config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_COLUMNS = """
SELECT table_schema || '.' || table_name AS "table", column_name AS name, udt_name AS type,
       is_nullable = 'YES' AS is_nullable, column_default IS NOT NULL OR is_identity = 'YES' AS has_default
FROM information_schema.columns WHERE table_schema <> ALL('{pg_catalog,information_schema,public}')
"""
_RULES = """
SELECT c.conrelid::regclass::text AS "table", c.conname AS name, pg_get_constraintdef(c.oid) AS rule,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)) AS columns
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype IN ('c', 'f', 'p', 'u', 'x') AND c.conrelid <> 0
  AND n.nspname <> ALL('{pg_catalog,information_schema,public}')
UNION ALL
SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey::smallint[]))
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE i.indisunique AND n.nspname <> ALL('{pg_catalog,information_schema,public,pg_toast}')
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
_WORDS = re.compile(r"'([^']*)'")

EXCUSED: Mapping[str, str] = {}
"""What a migration may do all the same, with the reason why the code before it does not mind."""


@dataclass(frozen=True)
class Column:
    type: str
    is_nullable: bool
    has_default: bool


@dataclass(frozen=True)
class Rule:
    """What refuses a row: a key, a check, a unique index."""

    text: str
    columns: frozenset[str]


@dataclass(frozen=True)
class Schema:
    columns: Mapping[tuple[str, str], Column]
    rules: Mapping[tuple[str, str], Rule]

    @property
    def tables(self) -> set[str]:
        return {table for table, _ in self.columns}


async def look(connection: AsyncConnection) -> Schema:
    """As it stands in the connection's transaction."""
    columns = (await connection.execute(text(_COLUMNS))).mappings().all()
    rules = (await connection.execute(text(_RULES))).mappings().all()
    return Schema(
        {(row["table"], row["name"]): Column(row["type"], row["is_nullable"], row["has_default"]) for row in columns},
        {(row["table"], row["name"]): Rule(row["rule"], frozenset(row["columns"])) for row in rules},
    )


def problems(before: Schema, after: Schema) -> list[str]:
    """What the code before a migration would stumble over after it."""
    found = [f"{table}.{name} is gone" for table, name in before.columns.keys() - after.columns.keys()]
    for (table, name), column in after.columns.items():
        was = before.columns.get((table, name))
        if was is None and table in before.tables and not (column.is_nullable or column.has_default):
            found.append(f"{table}.{name} is new, and whoever does not know it cannot insert")
        if was is not None and was.type != column.type:
            found.append(f"{table}.{name} was {was.type} and is {column.type}")
        if was is not None and (was.is_nullable, was.has_default) > (column.is_nullable, column.has_default):
            found.append(f"{table}.{name} must be given a value now")
    return sorted(found + _rule_problems(before, after))


def _rule_problems(before: Schema, after: Schema) -> list[str]:
    gone = before.rules.keys() - after.rules.keys()
    found = [
        f"{name} on {table} is gone, and ON CONFLICT may need it"
        for table, name in gone
        if _is_key(before, table, name)
    ]
    for (table, name), rule in after.rules.items():
        was = before.rules.get((table, name))
        known = {column for of, column in before.columns if of == table}
        if was is None and table in before.tables and rule.columns <= known:
            found.append(f"{name} on {table} is new, and may refuse what was written before")
        if (
            was is not None
            and was.text != rule.text
            and not set(_WORDS.findall(was.text)) < set(_WORDS.findall(rule.text))
        ):
            found.append(f"{name} on {table} is another one: {rule.text}")
    return found


def _is_key(schema: Schema, table: str, name: str) -> bool:
    return not schema.rules[table, name].text.startswith("CHECK")


@pytest.fixture
async def empty(postgres_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection to a database that no migration has seen."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = make_url(asyncpg_url(postgres_url))
    server = create_async_engine(url, isolation_level="AUTOCOMMIT")
    engine = create_async_engine(url.set(database=name))
    async with server.connect() as admin:
        await admin.execute(text(f"CREATE DATABASE {name}"))
        async with engine.connect() as connection:
            yield connection
        await engine.dispose()
        await admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


def step(connection: Connection, revision: str) -> None:
    command.upgrade(alembic_config(connection), revision)
    connection.commit()


class _TakenBack(Exception):
    """Ends a transaction of which nothing is to stay."""


async def test_each_migration_leaves_the_code_before_it_at_work(empty: AsyncConnection) -> None:
    scripts = await empty.run_sync(lambda connection: ScriptDirectory.from_config(alembic_config(connection)))
    first, *others = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    await empty.run_sync(step, first)
    before = await look(empty)
    found: set[str] = set()

    for revision in others:
        await empty.rollback()
        await empty.run_sync(step, revision)
        after = await look(empty)
        found |= {f"{revision}: {problem}" for problem in problems(before, after)}
        before = after

    assert found == EXCUSED.keys(), sorted(found ^ EXCUSED.keys())


async def test_what_would_hurt_the_code_before_it_is_seen(shared_database: Callable[[str | None], Database]) -> None:
    hurts = {
        "ALTER TABLE directory.teams DROP COLUMN description": "directory.teams.description is gone",
        "ALTER TABLE directory.teams RENAME COLUMN description TO words": "directory.teams.description is gone",
        "ALTER TABLE directory.teams ADD code text NOT NULL": "whoever does not know it cannot insert",
        "ALTER TABLE directory.teams ALTER description SET NOT NULL": "must be given a value now",
        "ALTER TABLE directory.teams ALTER description TYPE varchar": "was text and is varchar",
        "ALTER TABLE directory.teams ADD CHECK (name <> '')": "may refuse what was written before",
        "CREATE UNIQUE INDEX one_name ON directory.teams (name)": "may refuse what was written before",
        "DROP INDEX incidents.incidents_open_key": "ON CONFLICT may need it",
    }
    db = shared_database(None)
    seen = {}

    for change in hurts:
        with contextlib.suppress(_TakenBack):
            async with db.begin() as tx:
                before = await look(tx)
                await tx.execute(text(change))
                seen[change] = problems(before, await look(tx))
                raise _TakenBack

    assert {change for change, problem in hurts.items() if problem not in "; ".join(seen[change])} == set()
