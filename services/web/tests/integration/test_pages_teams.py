"""Teams as pages: who is on call, who is in them, and what keeps one from being deleted."""

import pytest
from pagerpal_common.testing.rows import Rows

from .browser import browse, text_of
from .conftest import Web
from .test_incidents import insert_incident


async def test_the_list_says_who_is_on_call_and_what_each_team_has(web: Web) -> None:
    team, ana = await web.a_team(), await web.a_user(name="Ana")
    await web.made(f"teams/{team['id']}/members", user_id=ana["id"])
    schedule = await web.made("schedules", team_id=team["id"], name="First line")
    shift = {"user_id": ana["id"], "starts_at": "2026-05-21T00:00:00Z", "ends_at": "2026-05-21T20:00:00Z"}
    await web.made(f"schedules/{schedule['id']}/entries", **shift)
    await web.made("schedules", team_id=team["id"], name="Second line")
    await web.made("escalation-policies", team_id=team["id"], name="Usual")
    await web.made("alert-sources", team_id=team["id"], name="Grafana", source_type="grafana")

    shown = text_of(await (await browse(web, "viewer")).get("/teams"))

    assert "Platform Ana until 20:00 Nobody on Second line Usual No levels 1 1 none" in shown
    assert "New team" not in shown


async def test_a_team_is_made_changed_and_deleted(web: Web) -> None:
    admin = await browse(web)

    shown = await admin.done("/teams", do="create", name="Payments", description="Cards & co.")
    assert "Team Payments is created." in shown
    assert "Cards & co." in shown

    fields = {"do": "change", "form": "team", "team__name": "Money", "team__description": ""}
    assert "Saved." in await admin.done("/teams/1", **fields)
    assert (await web("GET", "/api/v1/teams/1")).json()["description"] is None

    assert "Team deleted." in await admin.done("/teams/1", do="delete")
    assert (await web("GET", "/api/v1/teams")).json() == []


async def test_what_is_refused_stays_typed_and_is_said_beside_its_field(web: Web) -> None:
    admin = await browse(web)

    response = await admin.post("/teams", do="create", name="", description="Runs <b>clusters</b>")

    assert response.status_code == 422
    shown = text_of(response)
    assert "Not saved: check the marked fields" in shown
    assert "Field required." in shown
    assert "[Runs <b>clusters</b>]" in shown
    assert "<b>clusters" not in response.text


async def test_people_join_and_leave_and_nobody_joins_twice(web: Web) -> None:
    team, ana = await web.a_team(), await web.a_user(name="Ana")
    admin, path = await browse(web), f"/teams/{team['id']}"
    joining = {"do": "add_member", "form": "member", "member__user_id": ana["id"]}

    assert "Ana is added to the team." in await admin.done(path, **joining)
    again = await admin.post(path, **joining)
    assert (again.status_code, "member of the team already." in text_of(again)) == (409, True)

    await admin.done(path, do="remove_member", about=ana["id"])
    assert (await web("GET", f"/api/v1{path}/members")).json() == []
    nobody = await admin.post(path, do="add_member", form="member", member__user_id="")
    assert (nobody.status_code, "Field required." in text_of(nobody)) == (422, True)


async def test_what_hangs_on_a_team_keeps_it_and_is_named(web: Web) -> None:
    team = await web.a_team()
    await web.made("schedules", team_id=team["id"], name="First line")

    response = await (await browse(web)).post(f"/teams/{team['id']}", do="delete")

    assert response.status_code == 409
    assert f"Team {team['id']} is still used by schedule 1." in text_of(response)


async def test_open_incidents_stand_on_the_page_of_their_team(web: Web, rows: Rows) -> None:
    team = await web.a_team()
    await insert_incident(rows, team_id=team["id"], title="Disk full")

    assert "Critical Triggered Disk full now" in text_of(await (await browse(web)).get(f"/teams/{team['id']}"))


@pytest.mark.parametrize("who", ["responder", "viewer"])
async def test_only_an_admin_changes_a_team(web: Web, who: str) -> None:
    team = await web.a_team()
    visitor = await browse(web, who)

    assert "Settings" not in text_of(await visitor.get(f"/teams/{team['id']}"))
    for path, do in (("/teams", "create"), (f"/teams/{team['id']}", "delete")):
        assert (await visitor.post(path, do=do, name="X")).status_code == 403
    assert len((await web("GET", "/api/v1/teams")).json()) == 1


async def test_a_form_without_its_token_or_with_an_unknown_wish_does_nothing(web: Web) -> None:
    admin = await browse(web)

    assert (await admin.send("/teams", {"do": "create", "name": "X"})).status_code == 403
    assert (await admin.post("/teams", do="drop", name="X")).status_code == 400
    assert (await web("GET", "/api/v1/teams")).json() == []


@pytest.mark.parametrize("about", ["", "x", "-1", "9" * 30, "²"])
async def test_a_number_that_is_none_is_a_broken_form(web: Web, about: str) -> None:
    team = await web.a_team()
    response = await (await browse(web)).post(f"/teams/{team['id']}", do="remove_member", about=about)
    assert (response.status_code, "Load the page again" in text_of(response)) == (400, True)


async def test_a_team_that_is_not_there_is_404(web: Web) -> None:
    admin = await browse(web)
    assert (await admin.get("/teams/99")).status_code == 404
    assert (await admin.post("/teams/99", do="delete")).status_code == 404
