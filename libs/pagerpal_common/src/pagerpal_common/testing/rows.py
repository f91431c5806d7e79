"""How do tests look at and prepare rows of any schema, whoever owns it?"""

from typing import Any

from sqlalchemy import text

from pagerpal_common.db import Database


class Rows:
    """Looks at and prepares any table, as the login that owns the database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self._db.begin() as tx:
            result = await tx.execute(text(query), parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []
