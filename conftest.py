"""Fixtures for every test that needs a database: one real PostgreSQL per run, one fresh database per test."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pagerpal_common.db import Database, connect
from pagerpal_common.testing.databases import Databases
from pagerpal_standalone import postgres

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("pagerpal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pagerpal")

TEMPLATE = f"pagerpal_template_{os.getpid()}"  # its own: several runs may share one server

CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
}
"""What a server may be that nobody needs tomorrow."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: that of `PAGERPAL_TEST_DATABASE_URL`, or the embedded one, which is started."""
    if given := os.environ.get("PAGERPAL_TEST_DATABASE_URL"):
        yield given
        return
    with _server() as url:
        yield url


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    """Databases with the whole schema on that server."""
    databases = Databases(postgres_url, TEMPLATE)
    asyncio.run(databases.prepare())
    yield databases
    asyncio.run(databases.close())


@pytest.fixture(scope="module")
def own_postgres_url() -> Iterator[str]:
    """A server of one module's own, empty: logins and their passwords are a server's, not a database's."""
    with _server() as url:
        yield url


@contextmanager
def _server() -> Iterator[str]:
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory(prefix="pagerpal-test-") as folder:
        Path(folder).chmod(0o755)  # as root the server runs as somebody else, who has to get in
        server = postgres.embedded_postgres(Path(folder) / "data")
        with pytest.MonkeyPatch.context() as patch:  # for this one alone: others are what tests are about
            patch.setattr(postgres, "SETTINGS", {**postgres.SETTINGS, **CARELESS})
            url = runner.run(server.__aenter__())
        try:
            yield url
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A database of the test's own, migrated and empty."""
    name = await databases.take()
    yield databases.url(name)
    await databases.give_back(name)


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
def shared_database_url(databases: Databases) -> Iterator[str]:
    """One database for tests that leave nothing behind."""
    with asyncio.Runner() as runner:
        name = runner.run(databases.take())
        yield databases.url(name)
        runner.run(databases.give_back(name))


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
