"""Is there a team behind every number that an alert source routes to, and does it stay as long as it does?"""

import asyncio
from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows
from pagerpal_web.api import sources

from services.web.tests.integration.browser import browse
from services.web.tests.integration.conftest import Web, in_step
from services.web.tests.integration.test_incidents import insert_incident

SOURCES = "/api/v1/alert-sources"


def routes_to(*team_ids: Any) -> dict[str, Any]:
    return {"routing_team_ids": list(team_ids)}


async def a_source(web: Web, **fields: Any) -> Any:
    team = await web.a_team()
    return await web.made("alert-sources", team_id=team["id"], name="Prometheus", source_type="generic", **fields)


@pytest.mark.parametrize("number", [999, 0, -1, 2**63 - 1, -(2**63) + 1])
async def test_a_source_routes_to_no_team_that_is_not_there(web: Web, number: int) -> None:
    source = await a_source(web, config={"flap_seconds": 60})
    body = {"team_id": source["team_id"], "name": "X", "source_type": "generic"}
    config = routes_to(source["team_id"], number)

    made = await web("POST", SOURCES, {**body, "config": config})
    changed = await web("PATCH", f"{SOURCES}/{source['id']}", {"config": config})

    for answer in (made, changed):
        assert (answer.status_code, answer.json()) == (400, {"detail": f"there is no team {number}"})
    (only,) = (await web("GET", SOURCES)).json()
    assert only["config"] == {"flap_seconds": 60}


async def test_a_source_routes_to_teams_that_are_there(web: Web) -> None:
    other = await web.a_team()
    source = await a_source(web, config=routes_to(other["id"]))

    answer = await web("PATCH", f"{SOURCES}/{source['id']}", {"config": routes_to(other["id"], source["team_id"])})

    assert (answer.status_code, answer.json()["config"]) == (200, routes_to(other["id"], source["team_id"]))


@pytest.mark.parametrize("listed", [None, "999", 999, {"999": 1}, ["999", None, True, 9.5, [999]]])
async def test_what_names_no_team_for_ingest_is_nobodys_business_here(web: Web, listed: Any) -> None:
    source = await a_source(web, config={"routing_team_ids": listed})

    assert source["config"] == {"routing_team_ids": listed}


async def test_a_source_with_a_team_of_before_that_is_gone_can_still_be_renamed_and_switched_off(
    web: Web, rows: Rows
) -> None:
    source = await a_source(web)
    await rows("""UPDATE directory.alert_sources SET config = '{"routing_team_ids": [999]}'""")

    answer = await web("PATCH", f"{SOURCES}/{source['id']}", {"name": "Y", "is_active": False})

    assert (answer.status_code, answer.json()["config"]) == (200, routes_to(999))


async def test_a_team_that_a_source_routes_to_stays_and_the_source_is_named(web: Web) -> None:
    other = await web.a_team()
    source = await a_source(web, config=routes_to(other["id"]))

    kept = await web("DELETE", f"/api/v1/teams/{other['id']}")
    await web("PATCH", f"{SOURCES}/{source['id']}", {"config": None})
    gone = await web("DELETE", f"/api/v1/teams/{other['id']}")

    detail = f"team {other['id']} is still used by alert source {source['id']}, which routes alerts to it"
    assert (kept.status_code, kept.json()) == (409, {"detail": detail})
    assert gone.status_code == 204


@pytest.mark.parametrize("config", [{"routing_team_ids": 1}, {"routing_team_ids": ["1"]}, {"other": [1]}, None])
async def test_any_other_word_in_a_configuration_holds_no_team(web: Web, config: Any) -> None:
    first = await web.a_team()
    assert first["id"] == 1
    await a_source(web, config=config)

    assert (await web("DELETE", "/api/v1/teams/1")).status_code == 204


async def test_a_team_deleted_while_a_source_begins_to_route_to_it_is_either_there_or_not_routed_to(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, source = await web.a_team(), await a_source(web)
    in_step(monkeypatch, sources, "update_row")  # the team has been found there by then

    async def deleted() -> int:
        return (await web("DELETE", f"/api/v1/teams/{other['id']}")).status_code

    async def routed() -> int:
        answer = await web("PATCH", f"{SOURCES}/{source['id']}", {"config": routes_to(other["id"])})
        return answer.status_code

    statuses = tuple(await asyncio.gather(routed(), deleted()))

    assert statuses in {(400, 204), (200, 409)}


async def test_an_incident_of_a_team_that_is_gone_is_shown_all_the_same(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows, team_id=999)

    assert (await web("GET", f"/api/v1/incidents/{number}")).json()["team_id"] == 999
    admin = await browse(web)
    assert [(await admin.get(path)).status_code for path in (f"/incidents/{number}", "/incidents", "/dashboard")] == [
        200
    ] * 3
