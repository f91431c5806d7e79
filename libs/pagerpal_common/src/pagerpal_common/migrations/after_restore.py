"""What does a database need that was restored? `python -m pagerpal_common.migrations.after_restore`.

It is as old as its backup, and knows nothing of the numbers that were given out since: they are in people's SMS
(`ack 42`), in links that acknowledge with one tap, in monitoring systems and in messages of the broker. Given out again
they would mean something else, and an old answer would silence a new incident. So every sequence goes on far beyond
them. Sessions that were ended since the backup would hold again: all of them end.

Run it after the migrations, before any service uses the database. Twice does no harm.
"""

import asyncio
import sys

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from pagerpal_common.db import asyncpg_url
from pagerpal_common.migrations.environment import database_of_the_environment
from pagerpal_common.schema import metadata

AHEAD = 1_000_000
"""How far the numbers go on: more than one installation gives out between two backups."""

_MOVE_ON = text("""
SELECT setval(format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value) + :ahead)
FROM pg_sequences WHERE schemaname = ANY(:schemas)
""")
_END_SESSIONS = text("DELETE FROM directory.sessions")


async def make_safe(url: str) -> str:
    """Do it; what was done, in words.

    Args:
        url: of the login that owns the database, migrated to this version.
    """
    schemas = sorted({table.schema for table in metadata.tables.values() if table.schema})
    engine = create_async_engine(asyncpg_url(url))
    try:
        async with engine.begin() as connection:
            moved = (await connection.execute(_MOVE_ON, {"ahead": AHEAD, "schemas": schemas})).all()
            ended = (await connection.execute(_END_SESSIONS)).rowcount
    finally:
        await engine.dispose()
    return f"{len(moved)} sequences go on {AHEAD:,} further; {ended} sessions have ended"


def main() -> None:
    url = database_of_the_environment("which database was restored?")
    sys.stdout.write(asyncio.run(make_safe(url)) + "\n")


if __name__ == "__main__":
    main()
