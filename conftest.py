"""Fixtures for every test that needs a database: one real PostgreSQL per run, one fresh database per test."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from pagerpal_common.db import Database, connect
from pagerpal_common.migrations import upgrade
from pagerpal_standalone.postgres import embedded_postgres
from sqlalchemy import make_url

TEMPLATE = f"pagerpal_template_{os.getpid()}"  # its own: several runs may share one server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server whose template database has the whole schema.

    `PAGERPAL_TEST_DATABASE_URL` names one that is already there; otherwise the embedded one is started.
    """
    if given := os.environ.get("PAGERPAL_TEST_DATABASE_URL"):
        asyncio.run(_make_template(given))
        yield given
        return
    with _server() as url:
        asyncio.run(_make_template(url))
        yield url


@pytest.fixture(scope="module")
def own_postgres_url() -> Iterator[str]:
    """A server of one module's own, empty: logins and their passwords are a server's, not a database's."""
    with _server() as url:
        yield url


@contextmanager
def _server() -> Iterator[str]:
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory(prefix="pagerpal-test-") as folder:
        Path(folder).chmod(0o755)  # as root the server runs as somebody else, who has to get in
        server = embedded_postgres(Path(folder) / "data")
        url = runner.run(server.__aenter__())
        try:
            yield url
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of the test's own, migrated and empty."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY wal_log")
    yield _with_database(postgres_url, name)
    await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Callable[[str | None], Database]]:
    """Opens the test's database in a service's role (None: as the login that owns it); closed afterwards."""
    opened: list[Database] = []

    def open_as(role: str | None) -> Database:
        opened.append(connect(database_url, role=role))
        return opened[-1]

    yield open_as
    for database in opened:
        await database.close()


@pytest.fixture(scope="session")
def shared_database_url(postgres_url: str) -> Iterator[str]:
    """One database for tests that leave nothing behind."""
    with asyncio.Runner() as runner:
        name = f"test_{uuid.uuid4().hex[:12]}"
        runner.run(_execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY wal_log"))
        yield _with_database(postgres_url, name)
        runner.run(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def shared_database(shared_database_url: str) -> AsyncIterator[Callable[[str | None], Database]]:
    """The same as `database`, on the database that such tests share."""
    opened: list[Database] = []

    def open_as(role: str | None) -> Database:
        opened.append(connect(shared_database_url, role=role, pool_size=1))
        return opened[-1]

    yield open_as
    for database in opened:
        await database.close()


async def _make_template(url: str) -> None:
    await _execute(url, f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
    await _execute(url, f"CREATE DATABASE {TEMPLATE}")
    await upgrade(_with_database(url, TEMPLATE))


async def _execute(url: str, statement: str) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests reach no socket: a test that does belongs into `integration`."""
    for item in items:
        if "unit" in Path(item.path).parts:
            item.fixturenames.append("no_sockets")  # type: ignore[attr-defined]


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses connections, so that a unit test cannot reach a server by accident."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a unit test must not open a connection")

    monkeypatch.setattr("socket.socket.connect", refuse)
