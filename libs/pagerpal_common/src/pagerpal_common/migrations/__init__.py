"""Brings a database to this version's schema: `python -m pagerpal_common.migrations`.

One Alembic history for all schemas, under a lock so that parallel calls wait for each other; then the grants.
"""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from pagerpal_common.db import asyncpg_url
from pagerpal_common.migrations.grants import apply_grants

_LOCK = 0x70616765  # any number that is ours


def migrate(url: str) -> None:
    """Upgrade to the newest schema, and grant each service what it may do.

    Args:
        url: of a login that may create schemas, roles and the extension btree_gist.
    """
    asyncio.run(upgrade(url))


async def upgrade(url: str) -> None:
    """The same, inside a running event loop."""
    engine = create_async_engine(asyncpg_url(url))
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            await connection.commit()
            await connection.run_sync(_upgrade)
            await apply_grants(connection)
            await connection.commit()
    finally:
        await engine.dispose()  # closing the session gives the lock back


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for this history, on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")
    connection.commit()
