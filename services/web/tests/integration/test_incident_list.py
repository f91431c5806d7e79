"""Does the list say what is there? Against a naive reading of the same rows, for whatever is asked."""

import itertools
import json
import random
from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import IncidentStatus, Severity
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from .conftest import Web

INCIDENTS = "/api/v1/incidents"
TEAMS, SOURCES = (1, 2, 3), (10, 11, 12, 13)

_FILL = """
INSERT INTO incidents.incidents
    (title, description, severity, source_id, team_id, status, current_escalation_level, escalation_id, escalation_pass,
     escalation_reminder, level_entered_at, notification_count, created_at, alert_count, last_alert_at, links, labels,
     is_unreached)
SELECT 'x', '', made.severity, source_id, team_id, made.status, 0, 1, 1, 0, now(), 0, now(), 1, now(), '[]', '{}', false
FROM json_to_recordset(:made) AS made(severity text, source_id bigint, team_id bigint, status text)
"""
# As the loop of incidents does it.
_ADD_UP = """
WITH moved AS (DELETE FROM incidents.count_changes RETURNING *)
INSERT INTO incidents.counts
SELECT team_id, source_id, status, severity, sum(change) FROM moved GROUP BY 1, 2, 3, 4
ON CONFLICT (team_id, source_id, status, severity) DO UPDATE SET number = counts.number + excluded.number
"""


async def given_incidents(rows: Rows, chance: random.Random, number: int) -> None:
    """Of every kind, in no order; some have changed since, some are gone, and some of the counts are added up."""
    made = [
        {
            "severity": chance.choice(list(Severity)),
            "source_id": chance.choice(SOURCES),
            "team_id": chance.choice(TEAMS),
            "status": chance.choices(list(IncidentStatus), (1, 2, 7))[0],
        }
        for _ in range(number)
    ]
    await rows(_FILL, made=json.dumps(made[: number // 2]))
    await rows(_ADD_UP)
    await rows(_FILL, made=json.dumps(made[number // 2 :]))
    await rows("UPDATE incidents.incidents SET status = 'resolved' WHERE id % 17 = 0")
    await rows("UPDATE incidents.incidents SET severity = 'info' WHERE id % 13 = 0")
    await rows("DELETE FROM incidents.incidents WHERE id % 29 = 0")


def matching(everything: list[dict[str, Any]], filters: dict[str, Any]) -> list[int]:
    """The reference: all rows, looked through one by one."""
    return [row["id"] for row in everything if all(row[name] == value for name, value in filters.items())]


async def test_any_filters_and_any_page_are_what_a_naive_reading_gives(web: Web, rows: Rows) -> None:
    chance = random.Random(20260521)
    await given_incidents(rows, chance, 400)
    everything = await rows("SELECT * FROM incidents.incidents ORDER BY id DESC")
    choices: dict[str, list[Any]] = {
        "team_id": [*TEAMS, 99],
        "source_id": [*SOURCES, 99],
        "status": list(IncidentStatus),
        "severity": list(Severity),
    }
    combinations = [
        names for number in range(5) for names in itertools.combinations(choices, number) for _ in range(1 + number)
    ]
    for names in combinations:
        filters = {name: chance.choice(choices[name]) for name in names}
        expected, size = matching(everything, filters), chance.randint(3, 40)
        pages = -(-len(expected) // size)

        answers = [
            (await web("GET", _url(filters, page=page, page_size=size), who="viewer")).json()
            for page in range(1, pages + 2)
        ]

        listed = [[item["id"] for item in answer["items"]] for answer in answers]
        assert list(itertools.chain(*listed)) == expected, filters
        assert [len(ids) for ids in listed[:-2]] == [size] * max(0, pages - 1)
        assert listed[-1] == [], "beyond the last page is an empty one"
        assert {(answer["total"], answer["total_pages"]) for answer in answers} == {(len(expected), pages)}


async def test_an_item_is_the_same_from_whichever_end_it_was_found(web: Web, rows: Rows) -> None:
    await given_incidents(rows, random.Random(7), 60)
    whole = (await web("GET", f"{INCIDENTS}?page_size=200")).json()["items"]

    one_by_one = [(await web("GET", f"{INCIDENTS}?page_size=1&page={page}")).json()["items"] for page in range(1, 59)]

    assert list(itertools.chain(*one_by_one)) == whole
    assert whole[0] == (await web("GET", f"{INCIDENTS}/{whole[0]['id']}")).json()


async def test_the_total_and_the_page_are_of_one_moment(web: Web, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    await given_incidents(rows, random.Random(7), 60)
    before = (await web("GET", f"{INCIDENTS}?page_size=200")).json()
    execute = AsyncConnection.execute
    meanwhile = 0

    async def and_somebody_else_writes(self: Any, query: TextClause, *values: Any) -> Any:
        """Between the total and the page an incident goes, one comes, and the counts are added up."""
        nonlocal meanwhile
        result = await execute(self, query, *values)
        if "counted" in query.text and not meanwhile:
            meanwhile += 1
            await rows(f"DELETE FROM incidents.incidents WHERE id = {before['items'][3]['id']}")
            await given_incidents(rows, random.Random(8), 20)
            await rows(_ADD_UP)
        return result

    monkeypatch.setattr(AsyncConnection, "execute", and_somebody_else_writes)
    during = (await web("GET", f"{INCIDENTS}?page_size=200")).json()
    monkeypatch.undo()

    assert meanwhile == 1
    assert during == before
    after = (await web("GET", f"{INCIDENTS}?page_size=200")).json()
    assert after["total"] == len(after["items"]) != before["total"]


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=-1", "page=x", "page=1.5", "page=", f"page=1{'0' * 30}"),
        *("page_size=0", "page_size=-1", "page_size=x", "page_size="),
        *("status=open", "status=TRIGGERED", "status=", "severity=high", "severity="),
        *("team_id=x", "team_id=0", "source_id=-1", f"source_id=1{'0' * 30}"),
    ],
)
async def test_a_query_that_does_not_fit_is_422(query: str, web: Web) -> None:
    response = await web("GET", f"{INCIDENTS}?{query}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


async def test_a_page_size_beyond_the_largest_is_cut(web: Web, rows: Rows) -> None:
    await given_incidents(rows, random.Random(7), 250)

    for asked in ("201", "100000", f"1{'0' * 30}"):
        answer = (await web("GET", f"{INCIDENTS}?page_size={asked}")).json()
        assert (answer["page_size"], len(answer["items"])) == (200, 200)
        assert answer["total_pages"] == 2


def _url(filters: dict[str, Any], **more: int) -> str:
    return f"{INCIDENTS}?" + "&".join(f"{name}={value}" for name, value in {**filters, **more}.items())
