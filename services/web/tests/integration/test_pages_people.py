"""People as pages: who can be paged, what hangs on them, and what only an admin does."""

import pytest

from .browser import browse, text_of
from .conftest import ACCOUNTS, PASSWORD, Web

NUMBER = "+4915110000001"


async def test_the_list_says_whom_a_page_wakes_and_shows_no_telephone(web: Web) -> None:
    await web.a_user(name="Ana", phone=NUMBER)

    response = await (await browse(web, "viewer")).get("/users")

    shown = text_of(response)
    assert "Ana user1@example.org Responder Phone rings none no login" in shown
    assert "viewer (you) viewer@example.org Viewer No SMS or call none now" in shown
    assert "deactivated deactivated@example.org Admin Deactivated" in shown
    assert "New person" not in shown
    assert NUMBER[-8:] not in response.text


async def test_people_are_found_by_name_and_address_a_page_at_a_time(web: Web) -> None:
    for number in range(60):
        await web.a_user(name=f"Zoe {number:02} 100%")
    viewer = await browse(web, "viewer")

    first, last = await viewer.get("/users?q=zOe"), await viewer.get("/users?q=zoe&page=2")

    assert ("Zoe 00" in first.text, "Zoe 59" in first.text, "Page 1 of 2" in first.text) == (True, False, True)
    assert ("Zoe 00" in last.text, "Zoe 59" in last.text, "?q=zoe&amp;page=1" in last.text) == (False, True, True)
    assert "viewer@example.org" in (await viewer.get("/users?q=VIEWER@")).text
    assert "No people found" in (await viewer.get("/users?q=%25%27nobody")).text
    for page in ("0", "-1", "x", "9" * 40):
        assert (await viewer.get(f"/users?page={page}")).status_code == 200


async def test_somebody_is_added(web: Web) -> None:
    given = {"name": "Ana", "email": "ana@example.org", "role": "responder", "phone": "+49 151 10000001",
             "timezone": "Europe/Berlin", "password": ""}  # fmt: skip

    shown = await (await browse(web)).done("/users", do="create", **given)

    assert "Ana is added." in shown
    (ana,) = [one for one in (await web("GET", "/api/v1/users")).json() if one["email"] == "ana@example.org"]
    assert (ana["phone"], ana["timezone"], ana["has_password"]) == (NUMBER, "Europe/Berlin", False)


async def test_what_is_refused_of_somebody_new_is_beside_its_field_and_no_password_comes_back(web: Web) -> None:
    given = {"name": "Ana", "email": "no address", "role": "responder", "phone": "110", "timezone": "Mars/Base",
             "password": "password1234"}  # fmt: skip

    response = await (await browse(web)).post("/users", do="create", **given)

    shown = text_of(response)
    assert response.status_code == 422
    for said in ("This is no email address.", "This is no phone number in E.164", "This is no IANA time zone", "[Ana]"):
        assert said in shown
    assert "password1234" not in response.text
    taken = {**given, "email": "ADMIN@example.org", "phone": "", "timezone": "UTC", "password": "a very long secret"}
    response = await (await browse(web)).post("/users", do="create", **taken)
    assert (response.status_code, "Another user has this email address." in text_of(response)) == (409, True)


async def test_an_admin_changes_somebody_and_sees_the_telephone_masked(web: Web) -> None:
    ana = await web.a_user(name="Ana", phone=NUMBER)
    admin, path = await browse(web), f"/users/{ana['id']}"

    page = await admin.get(path)
    assert ("+49…0001" in page.text, NUMBER in page.text) == (True, False)
    fields = {"user__name": "Anna", "user__email": "anna@example.org", "user__role": "viewer", "user__timezone": "UTC"}
    assert "Saved." in await admin.done(path, do="change", form="user", **fields)
    await admin.done(path, do="change_phone", form="phone", phone__phone="+4915110000009")
    kept = (await web("GET", f"/api/v1/users/{ana['id']}")).json()
    assert (kept["name"], kept["role"], kept["phone"]) == ("Anna", "viewer", "+4915110000009")

    wrong = await admin.post(path, do="change_phone", form="phone", phone__phone="12")
    assert (wrong.status_code, "[12]" in text_of(wrong), "no phone number" in text_of(wrong)) == (422, True, True)
    await admin.done(path, do="remove_phone")
    assert (await web("GET", f"/api/v1/users/{ana['id']}")).json()["phone"] is None


async def test_a_login_is_given_ended_and_taken_away(web: Web) -> None:
    ana = await web.a_user(name="Ana")
    admin, path, who = await browse(web), f"/users/{ana['id']}", ana["email"].partition("@")[0]

    short = await admin.post(path, do="set_password", form="login", login__password="too short")
    assert (short.status_code, "too short" in short.text, "12" in text_of(short)) == (422, False, True)
    await admin.done(path, do="set_password", form="login", login__password=PASSWORD)
    hers = await browse(web, who)
    assert (await hers.get("/teams")).status_code == 200

    assert "All their sessions have ended." in await admin.done(path, do="end_sessions")
    assert (await hers.get("/teams")).status_code == 303
    assert {"all": True} in [event["data"] for event in await web.audit()]

    hers = await browse(web, who)
    await admin.done(path, do="remove_password")
    assert (await hers.get("/teams")).status_code == 303
    assert (await web("GET", f"/api/v1/users/{ana['id']}")).json()["has_password"] is False


async def test_the_page_says_where_nobody_else_is_named_before_somebody_is_deactivated(web: Web) -> None:
    team, ana, bo = await web.a_team(), await web.a_user(name="Ana", phone=NUMBER), await web.a_user(name="Bo")
    policy = await web.made("escalation-policies", team_id=team["id"], name="Usual")
    for number, people in ((1, [ana]), (2, [ana, bo])):
        level = await web.made(f"escalation-policies/{policy['id']}/levels", level_number=number, timeout_minutes=5)
        for one in people:
            assignee = {"assignee_type": "user", "user_id": one["id"]}
            await web.made(f"escalation-policies/{policy['id']}/levels/{level['id']}/assignees", **assignee)
    schedule = await web.made("schedules", team_id=team["id"], name="First line")
    shift = {"user_id": ana["id"], "starts_at": "2026-05-21T00:00:00Z", "ends_at": "2026-05-22T20:00:00Z"}
    await web.made(f"schedules/{schedule['id']}/entries", **shift)
    turns = {"user_ids": [ana["id"], bo["id"]], "kind": "weekly", "handoff_at": "2026-05-04T09:00:00"}
    await web.made(f"schedules/{schedule['id']}/rotations", name="Weeks", **turns)
    admin, path = await browse(web), f"/users/{ana['id']}"

    shown = text_of(await admin.get(path))

    assert "Usual, level 1 Nobody else without them this level is skipped" in shown
    assert "Usual, level 2 1 more on this level" in shown
    assert "First line, rotation Weeks 1 more in it" in shown
    assert "First line, 1 entry until Fri 22 May 20:00 without them the rotation decides who is on call" in shown
    shown = await admin.done(path, do="deactivate")
    assert "Deactivated, but still assigned below." in shown
    assert "Reactivated: they are paged again" in await admin.done(path, do="reactivate")
    assert (await web("GET", f"/api/v1/users/{ana['id']}")).json()["is_active"] is True


async def test_the_last_admin_who_can_log_in_stays_one(web: Web) -> None:
    response = await (await browse(web)).post(f"/users/{ACCOUNTS['admin']}", do="deactivate")
    assert (response.status_code, "last admin who can log in" in text_of(response)) == (409, True)


@pytest.mark.parametrize("who", ["responder", "viewer"])
async def test_only_an_admin_changes_people(web: Web, who: str) -> None:
    ana = await web.a_user(name="Ana", phone=NUMBER)
    visitor, path = await browse(web, who), f"/users/{ana['id']}"

    page = await visitor.get(path)

    assert ("Change" in text_of(page), "How a page goes" in text_of(page), NUMBER in page.text) == (False,) * 3
    for do in ("deactivate", "remove_password", "end_sessions", "remove_phone"):
        assert (await visitor.post(path, do=do)).status_code == 403
    assert (await visitor.post("/users", do="create", name="X")).status_code == 403
    assert (await web("GET", f"/api/v1/users/{ana['id']}")).json()["phone"] == NUMBER


async def test_without_the_token_nothing_is_changed(web: Web) -> None:
    admin, path = await browse(web), f"/users/{ACCOUNTS['viewer']}"
    assert (await admin.send(path, {"do": "deactivate"})).status_code == 403
    assert (await web("GET", f"/api/v1/users/{ACCOUNTS['viewer']}")).json()["is_active"] is True


async def test_whoever_is_in_no_team_reads_what_comes_next(web: Web) -> None:
    admin, responder = await browse(web), await browse(web, "responder")
    made = await admin.done(
        "/users", do="create", name="Ana", email="ana@example.org", role="responder", timezone="UTC"
    )
    assert "Ana is added." in made
    assert "Not in a team yet. Next: add them to a team" in made
    for path in ("/dashboard", "/profile"):
        shown = text_of(await responder.get(path))
        assert "You are not in a team yet." in shown
        assert "Ask an admin to add you: admin, passwordless." in shown
        assert "not in a team" not in text_of(await (await browse(web, "viewer")).get(path))
    assert "Add yourself to a team" in text_of(await admin.get("/profile"))

    team = await web.a_team()
    await web.made(f"teams/{team['id']}/members", user_id=ACCOUNTS["responder"])

    for path in ("/dashboard", "/profile"):
        assert "not in a team" not in text_of(await responder.get(path))
