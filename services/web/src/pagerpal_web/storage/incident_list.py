"""How is any page of a million incidents found at once? (docs/decisions/0011-the-incident-list.md)

The total is the sum of a few counters. The page is looked for from the nearer end of the list, as ids first: for each
status and severity that the filters leave, one stretch of an index that is in order of id, and those merged.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.vocabulary import IncidentStatus, Severity
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

# The total and the page are of one and the same moment.
_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

FIELDS = ", ".join(f"i.{name}" for name in IncidentView.model_fields)


async def list_incidents(
    tx: AsyncConnection, filters: Mapping[str, Any], *, limit: int, offset: int, is_open: bool = False
) -> tuple[list[IncidentView], int]:
    """One page of the incidents whose columns have these values, newest first, and how many there are in all.

    Args:
        tx: a transaction in which nothing has been done yet.
        filters: by column: `team_id`, `source_id`, `status`, `severity`, none or all of them.
        is_open: only those that are not resolved.
    """
    await tx.execute(_ONE_MOMENT)
    total = int((await tx.execute(_total(frozenset(filters), is_open=is_open), dict(filters))).scalar_one())
    size = min(limit, total - offset)
    if size <= 0:
        return [], total
    from_the_end = total - offset - size
    is_backward = from_the_end < offset
    reach = {"size": size, "skipped": from_the_end if is_backward else offset}
    query = _page(stretches(filters, is_open=is_open), is_backward=is_backward)
    rows = (await tx.execute(query, {**filters, **reach, "reach": sum(reach.values())})).mappings()
    return [IncidentView.model_validate(dict(row)) for row in rows], total


@cache
def _total(columns: frozenset[str], *, is_open: bool) -> TextClause:
    """The number of incidents: what the counters say, and what has been noted since they were added up."""
    kept = [f"{column} = :{column}" for column in sorted(columns)]
    where = " AND ".join(["true", *kept, *(["status <> 'resolved'"] if is_open else [])])
    return text(f"""
        SELECT CAST(coalesce(sum(number), 0) AS bigint) FROM (
            SELECT number FROM incidents.counts WHERE {where}
            UNION ALL SELECT change FROM incidents.count_changes WHERE {where}
        ) AS counted
    """)


def stretches(filters: Mapping[str, Any], *, is_open: bool) -> tuple[str, ...]:
    """Conditions that together select what the filters do; an index has the incidents of each in order of id."""
    named = [f"{column} = :{column}" for column in ("team_id", "source_id") if column in filters]
    kinds = list(_kinds(filters, is_open=is_open)) if filters or is_open else []
    return tuple(" AND ".join([*kind, *named]) for kind in kinds) or ("true",)


def _kinds(filters: Mapping[str, Any], *, is_open: bool) -> Iterator[tuple[str, str]]:
    statuses = [filters["status"]] if "status" in filters else list(IncidentStatus)
    statuses = [status for status in statuses if not is_open or status != IncidentStatus.RESOLVED]
    severities = [filters["severity"]] if "severity" in filters else list(Severity)
    for status, severity in product(statuses, severities):
        yield f"status = '{IncidentStatus(status)}'", f"severity = '{Severity(severity)}'"


@cache
def _page(stretches: tuple[str, ...], *, is_backward: bool) -> TextClause:
    """The rows of a page, newest first, whichever end they were found from."""
    return text(f"""
        SELECT {FIELDS} FROM ({newest(stretches, "ASC" if is_backward else "DESC")}) AS page
        JOIN incidents.incidents i ON i.id = page.id
        ORDER BY i.id DESC
    """)


def newest(stretches: tuple[str, ...], order: str = "DESC") -> str:
    """The ids of these stretches merged, `:size` of them after `:skipped`, of which `:reach` is the sum.

    Each stretch has a LIMIT of its own: without one PostgreSQL does not see that it is in order, and sorts them all.
    """
    merged = " UNION ALL ".join(
        f"(SELECT id FROM incidents.incidents WHERE {stretch} ORDER BY id {order} LIMIT :reach)"
        for stretch in stretches
    )
    return f"SELECT id FROM ({merged}) AS found ORDER BY id {order} LIMIT :size OFFSET :skipped"
