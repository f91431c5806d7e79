"""Do the database's parts of docs/operations.md hold? A migration without a superuser, KEDA's one column, a restore."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pagerpal_common.db import connect
from pagerpal_common.migrations import upgrade
from pagerpal_common.migrations.grants import role_of
from pagerpal_common.schema import metadata
from pagerpal_common.testing.databases import Databases
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tests.deploy.conftest import Demo
from tests.deploy.installation import SERVICES, Installation
from tests.deploy.rehearsal import shell
from tests.deploy.test_manifests import PRODUCTION
from tests.deploy.tools import named, objects
from tests.e2e.conftest import create_database

KEDA_MAY = ("GRANT USAGE ON SCHEMA notification TO {0}", "GRANT SELECT (due_at) ON notification.notifications TO {0}")
"""As deploy/k8s/README.md says."""


def at(url: str, **changed: str) -> str:
    """The same server, another login or database."""
    return make_url(url).set(drivername="postgresql", **changed).render_as_string(hide_password=False)  # type: ignore[arg-type]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(at(url))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def login(postgres_url: str, databases: Databases) -> AsyncIterator[str]:
    """The name of a login, which is its password, too; gone afterwards with all that it owned."""
    name = f"pp_{uuid.uuid4().hex[:8]}"
    async with connected(postgres_url) as admin:
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        yield name
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.execute(f"DROP OWNED BY {name}")
        await admin.execute(f"DROP ROLE {name}")


async def test_a_login_that_is_no_superuser_migrates_as_under_cloudnativepg(postgres_url: str, login: str) -> None:
    async with connected(postgres_url) as admin:  # the roles are there: the template has made them
        await admin.execute(f"CREATE DATABASE {login} OWNER {login}")
        for service in SERVICES:
            await admin.execute(f"GRANT {role_of(service)} TO {login} WITH ADMIN OPTION")

    await upgrade(at(postgres_url, username=login, password=login, database=login))
    await upgrade(at(postgres_url, username=login, password=login, database=login))  # a second time changes nothing

    async with connected(at(postgres_url, database=login)) as admin:
        assert not await admin.fetchval("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = $1", login)
        assert await admin.fetchval("SELECT count(*) FROM pg_tables WHERE tableowner = $1", login) > 20


async def test_keda_may_ask_how_late_the_oldest_page_is_and_nothing_else(postgres_url: str, login: str) -> None:
    _, trigger = named(objects(PRODUCTION), "ScaledObject", "notifier")["spec"]["triggers"]
    url = await create_database(postgres_url, login)
    await upgrade(url)
    async with connected(url) as admin:
        for grant in KEDA_MAY:
            await admin.execute(grant.format(login))
    await upgrade(url)  # the next migration's grants leave this one alone

    async with connected(at(url, username=login, password=login)) as keda:
        assert await keda.fetchval(trigger["metadata"]["query"]) == 0
        async with connected(url) as admin:
            await admin.execute("SET session_replication_role = replica")
            await admin.execute(
                "INSERT INTO notification.notifications (id, page_request_id, incident_id, escalation_id, user_id,"
                " channel, step, pass_number, level, reason, status, attempts, due_at, created_at) VALUES"
                " (1, 1, 1, 1, 1, 'sms', 1, 1, 1, '{}', 'queued', 0, now() - interval '61 s', now())"
            )
        assert await keda.fetchval(trigger["metadata"]["query"]) in {61, 62, 63}
        for forbidden in ("SELECT address FROM notification.notifications", "SELECT * FROM directory.users"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await keda.execute(forbidden)


async def test_what_was_dumped_is_restored_with_every_row_and_right(
    here: Installation, demo: Demo, tmp_path: Path
) -> None:
    before = await counts(here.database_url)
    keyboard = shell(tmp_path, python=here.python, database_url=here.database_url)
    target = at(here.database_url, database=f"{make_url(here.database_url).database}_new")

    keyboard.type("back-up")
    keyboard.type("restore")

    restored = await counts(target)
    assert restored.keys() == before.keys()
    quiet = [name for name in before if name.startswith(("directory.users", "directory.teams", "incidents.alerts"))]
    assert {name: restored[name] for name in quiet} == {name: before[name] for name in quiet}
    assert restored["directory.users"] > 0
    database = connect(at(target), role="ingest")
    try:
        async with database.begin() as tx:
            assert (await tx.execute(text("SELECT count(*) FROM directory.alert_sources"))).scalar_one() > 0
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.begin() as tx:
                await tx.execute(text("DELETE FROM directory.alert_sources"))
    finally:
        await database.close()


async def counts(url: str) -> Mapping[str, int]:
    """How many rows each table has."""
    async with connected(url) as connection:
        return {
            table.fullname: await connection.fetchval(f"SELECT count(*) FROM {table.fullname}")
            for table in metadata.sorted_tables
        }
