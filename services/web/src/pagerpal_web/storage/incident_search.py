"""How is an incident found by what somebody types? By its number, by the source's own id, or by words of its title.

The first two are looked up in indexes, whatever the age. Words are looked for in the newest `SEARCHED` incidents that
the filters select, found as the list finds them: a whole history of titles is for no request to read.
"""

import re
from collections.abc import Mapping
from typing import Any

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.http import LARGEST_ID
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.incident_list import FIELDS, newest, stretches

SEARCHED = 3_000
"""Incidents whose titles are looked through."""

MOST_FOUND = 100

MOST_WORDS = 8

_NUMBER = re.compile(r"#?(\d{1,19})")


async def search_incidents(
    tx: AsyncConnection, query: str, filters: Mapping[str, Any], *, is_open: bool = False
) -> list[IncidentView]:
    """The incidents that this may mean, the newest first, at most `MOST_FOUND`; all within the filters."""
    number = _NUMBER.fullmatch(query)
    values = {
        **filters,
        "number": int(number[1]) if number and int(number[1]) <= LARGEST_ID else 0,
        "query": query,
        "words": [f"%{_escaped(word)}%" for word in query.split()[:MOST_WORDS]],
        "size": SEARCHED,
        "skipped": 0,
        "reach": SEARCHED,
        "most": MOST_FOUND,
    }
    rows = (await tx.execute(_search(filters, is_open=is_open), values)).mappings()
    return [IncidentView.model_validate(dict(row)) for row in rows]


def _search(filters: Mapping[str, Any], *, is_open: bool) -> TextClause:
    kept = [f"i.{column} = :{column}" for column in sorted(filters)]
    where = " AND ".join(["true", *kept, *(["i.status <> 'resolved'"] if is_open else [])])
    return text(f"""
        WITH found AS (
            SELECT CAST(:number AS bigint) AS id
            UNION SELECT known.id FROM directory.alert_sources s CROSS JOIN LATERAL (
                SELECT id FROM incidents.incidents WHERE source_id = s.id AND external_id = :query
                ORDER BY id DESC LIMIT :most
            ) AS known
            UNION SELECT titled.id FROM ({newest(stretches(filters, is_open=is_open))}) AS page
            JOIN incidents.incidents titled ON titled.id = page.id
            WHERE titled.title ILIKE ALL (CAST(:words AS text[]))
        )
        SELECT {FIELDS} FROM found JOIN incidents.incidents i ON i.id = found.id
        WHERE {where} ORDER BY i.id DESC LIMIT :most
    """)


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)
