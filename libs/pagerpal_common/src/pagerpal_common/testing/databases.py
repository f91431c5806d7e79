"""Where does each test get a database of its own from, without the fifth of a second that making one takes?

From the test before it. Rows are deleted and sequences begin anew, which leaves what a copy of the template would have;
the name is a new one, so that whatever a test has left running finds nobody. A database that is not as the template
was, because a test has changed more than rows or has written very much, is dropped.
"""

import uuid
from contextlib import suppress

import asyncpg
from sqlalchemy import make_url

from pagerpal_common.migrations import upgrade

LARGEST_BYTES = 4_000_000
"""Of all tables. What has been deleted still lies there, and is read over."""

_CATALOGS = (
    "pg_namespace", "pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_trigger", "pg_proc",
    "pg_type", "pg_enum", "pg_policy", "pg_rewrite", "pg_sequence", "pg_extension", "pg_default_acl",
    "pg_event_trigger", "pg_statistic_ext", "pg_publication",
)  # fmt: skip

_OF_ALL_ROWS = "(SELECT count(*) || ',' || coalesce(sum(CAST(CAST(xmin AS text) AS bigint)), 0) FROM {})"
_SETTINGS = (
    "(SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
    " WHERE d.datname = current_database())"
)
_GRANTS = "(SELECT coalesce(CAST(datacl AS text), '') FROM pg_database WHERE datname = current_database())"
_SHAPE = " || ' ' || ".join([*map(_OF_ALL_ROWS.format, _CATALOGS), _SETTINGS, _GRANTS])
"""Changes with every statement that defines, alters, drops or grants something: each writes rows of a catalog."""

_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_relation_size(c.oid) AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> ALL('{pg_catalog,information_schema,public}') AND pg_relation_size(c.oid) > 0
"""

_REWIND = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""

_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Databases:
    """Of one server: a template with the whole schema, and copies of it."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._spare: list[str] = []
        self._shape = ""

    def url(self, name: str) -> str:
        return make_url(self._server_url).set(database=name).render_as_string(hide_password=False)

    async def prepare(self) -> None:
        """Make the template."""
        await self._execute(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")
        await self._execute(f"CREATE DATABASE {self._template}")
        await upgrade(self.url(self._template))
        connection = await self._connect(self._template)
        try:
            self._shape = await connection.fetchval(f"SELECT {_SHAPE}")
        finally:
            await connection.close()

    async def take(self) -> str:
        """The name of a database that is migrated and empty."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        if self._spare:
            await self._execute(f"ALTER DATABASE {self._spare.pop()} RENAME TO {name}")
        else:
            await self._execute(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY wal_log")
        return name

    async def give_back(self, name: str) -> None:
        """It is needed no more, whatever has been done to it."""
        is_clean = False
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            is_clean = await self._clean(name)
        if is_clean:
            self._spare.append(name)
        else:
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def close(self) -> None:
        """Leave nothing on the server."""
        for name in (*self._spare, self._template):
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._spare.clear()

    async def _clean(self, name: str) -> bool:
        """Make it as a new one is; False where that cannot be done."""
        connection = await self._connect(name)
        try:
            await connection.execute(_OTHERS)
            if await connection.fetchval(f"SELECT {_SHAPE}") != self._shape:
                return False
            tables = await connection.fetch(_TABLES)
            if sum(table["bytes"] for table in tables) > LARGEST_BYTES:
                return False
            deletions = [f"DELETE FROM {table['name']}" for table in tables]
            await connection.execute("; ".join(["SET session_replication_role = replica", *deletions]))
            await connection.execute(_REWIND)
        finally:
            await connection.close()
        return True

    async def _execute(self, statement: str) -> None:
        connection = await self._connect(make_url(self._server_url).database)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _connect(self, database: str | None) -> asyncpg.Connection:
        url = make_url(self._server_url).set(drivername="postgresql", database=database)
        return await asyncpg.connect(url.render_as_string(hide_password=False))
