"""No number that may have been given out after the backup is given out again, and nobody stays logged in."""

from collections.abc import Callable

from pagerpal_common.db import Database
from pagerpal_common.migrations.after_restore import AHEAD, make_safe
from sqlalchemy import text

_PERSON = text("""
INSERT INTO directory.users (name, email, role, timezone, created_at)
VALUES (:name, :name || '@example.org', 'viewer', 'UTC', now()) RETURNING id
""")
_SESSION = text("""
INSERT INTO directory.sessions (user_id, token_hash, created_at, last_seen_at, expires_at)
VALUES (:user, 'hash', now(), now(), now() + interval '1 day')
""")
_UNMOVED = text("""
SELECT schemaname || '.' || sequencename FROM pg_sequences
WHERE coalesce(last_value, 0) <= :ahead AND schemaname NOT IN ('public', 'pg_catalog')
""")


async def test_numbers_go_on_beyond_those_given_out_since_and_sessions_end(
    database: Callable[[str | None], Database], database_url: str
) -> None:
    db = database(None)
    async with db.begin() as tx:
        ana = (await tx.execute(_PERSON, {"name": "ana"})).scalar_one()
        await tx.execute(_SESSION, {"user": ana})

    said = await make_safe(database_url)

    async with db.begin() as tx:
        assert (await tx.execute(_PERSON, {"name": "bo"})).scalar_one() == ana + AHEAD + 1
        assert (await tx.execute(text("SELECT nextval('incidents.escalation_ids')"))).scalar_one() > AHEAD
        assert list((await tx.execute(_UNMOVED, {"ahead": AHEAD})).scalars()) == []
        assert (await tx.execute(text("SELECT count(*) FROM directory.sessions"))).scalar_one() == 0
        assert (await tx.execute(text("SELECT min(id) FROM directory.users"))).scalar_one() == ana
    assert said.endswith("1 sessions have ended")
