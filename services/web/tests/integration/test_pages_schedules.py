"""Schedules on pages: what a change will do is shown before it is saved, and saving does just that."""

import html
import random
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.oncall import Gap, Span, Timeline
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import OnCallReason
from pagerpal_web.domain.coverage import differences

from .browser import Browser, browse
from .conftest import ACCOUNTS, T0, Web
from .test_pages_on_call import ADMIN, RESPONDER, VIEWER, a_schedule, an_entry, on_call

ENTRY = {"starts_at": "2026-05-22T08:00", "ends_at": "2026-05-22T20:00", "user_id": str(RESPONDER)}
ROTATION = {
    "name": "Weeks", "kind": "weekly", "length": "1", "priority": "0", "handoff_at": "2026-05-25T09:00",
    "user_ids": [str(RESPONDER), "", str(ADMIN), ""],
}  # fmt: skip


def count_of(table: str) -> str:
    return f"SELECT count(*) AS number FROM directory.{table}"


async def test_the_list_says_who_is_on_call_and_where_gaps_are(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, ADMIN, "2026-05-21T06:00:00Z", "2026-05-22T06:00:00Z")
    await an_entry(web, schedule, ADMIN, "2026-05-22T06:00:00Z", "2026-05-23T06:00:00Z")

    page = (await (await browse(web, "viewer")).get("/schedules")).text

    assert re.search(r"admin <span class=\"soft\">until <time [^>]*>Sat 23 May 06:00<", page)
    assert "Gaps: 12 d 6 h" in page
    assert "No policy" in page
    assert "New schedule" not in page


async def test_a_schedule_is_made_by_an_admin_and_what_is_wrong_is_said_with_what_was_typed_kept(web: Web) -> None:
    team = (await web.a_team())["id"]
    browser = await browse(web)

    refused = await browser.post("/schedules/new", team_id=team, name='"><script>', timezone="Europe/Nowhere")
    made = await browser.post("/schedules/new", team_id=team, name="Nights", timezone="Europe/Berlin")

    assert refused.status_code == 422
    assert "no IANA time zone" in refused.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in refused.text
    assert 'value="Europe/Nowhere"' in refused.text
    assert made.status_code == 303
    page = (await browser.get(made.headers["location"])).text
    assert "Schedule created" in page
    assert "Nobody is on call yet" in page
    assert "No escalation policy uses this schedule" in page


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-05-21T12:00:00Z", "2026-05-18T09:00"),
        ("2026-05-25T06:59:00Z", "2026-05-18T09:00"),
        ("2026-05-25T07:00:00Z", "2026-05-25T09:00"),
    ],
)
async def test_a_new_rotation_is_in_force_at_once(web: Web, clock: Clock, now: str, monday: str) -> None:
    _, schedule = await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    clock.at = datetime.fromisoformat(now)
    path, browser = f"/schedules/{schedule}/rotations/new", await browse(web)

    assert f'name="handoff_at" type="datetime-local" value="{monday}"' in (await browser.get(path)).text
    started = (await browser.post(path, step="preview", **{**ROTATION, "handoff_at": monday})).text

    assert "No gaps until" in started
    assert "Starts " not in started
    later = (await browser.post(path, step="preview", **{**ROTATION, "handoff_at": "2026-06-01T09:00"})).text
    assert "Starts Mon 1 Jun 09:00 (Europe/Berlin). Until then this rotation puts nobody on call." in later


async def test_the_page_of_a_schedule_shows_what_holds_and_each_layer(web: Web, rows: Rows) -> None:
    _, schedule = await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-23T06:00:00Z")
    await an_entry(web, schedule, ADMIN, "2026-05-22T06:00:00Z", "2026-05-22T18:00:00Z", is_override=True)
    await an_entry(web, schedule, VIEWER, "2026-05-22T10:00:00Z", "2026-05-22T12:00:00Z", is_override=True)
    turns = {"user_ids": [ADMIN, RESPONDER], "kind": "weekly", "handoff_at": "2026-05-04T09:00:00", "length": 2}
    hours = [{"weekdays": [0, 4], "from": "22:00", "to": "06:00"}]
    await web.made(f"schedules/{schedule}/rotations", name="Nights & days", restrictions=hours, **turns)
    await rows("UPDATE directory.users SET is_active = false WHERE id = :id", id=VIEWER)

    page = (await (await browse(web, "responder")).get(f"/schedules/{schedule}")).text

    names = re.findall(r'<text(?: class="(?:head|mine)")? x="[08]"[^>]*>([^<]*)<title>', page)
    assert names == ["Overrides", "Overrides", "Entries", "Nights &amp; days", "On call"], (
        "the head stands before lines"
    )
    assert "Each for 2 weeks, handed over on Mon at 09:00, only Mon, Fri 22:00 to 06:00 (Europe/Berlin)" in page
    assert "Deactivated, skipped" in page
    assert "admin: Fri 22 May 06:00 to Fri 22 May 18:00, by override" in page
    assert "Add rotation" not in page
    assert f"/schedules/{schedule}/cover" in page


async def test_a_schedule_that_is_not_there_has_no_page(web: Web) -> None:
    browser = await browse(web)

    for path in ("999", "999/edit", "999/cover", "999/entries/new", "999/rotations/new", "999/rotations/1/edit"):
        assert (await browser.get(f"/schedules/{path}")).status_code == 404
    _, schedule = await a_schedule(web)
    for path in ("entries/9/remove", "rotations/9/remove", "rotations/9/edit"):
        assert (await browser.get(f"/schedules/{schedule}/{path}")).status_code == 404


async def test_an_entry_is_previewed_and_only_then_saved(web: Web, rows: Rows) -> None:
    team, schedule = await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    browser = await browse(web)
    path = f"/schedules/{schedule}/entries/new"

    shown = await browser.post(path, step="preview", **ENTRY)

    assert shown.status_code == 200
    assert changes(shown.text) == [("responder", "nobody", "2026-05-22T06:00:00+00:00", "2026-05-22T18:00:00+00:00")]
    assert "Nobody is on call for" in shown.text
    assert await rows(count_of("schedule_entries")) == [{"number": 0}]
    assert await web.audit("&target_kind=schedule_entry") == []

    saved = await browser.post(path, **again(shown.text))

    assert (saved.status_code, saved.headers["location"]) == (303, f"/schedules/{schedule}")
    assert await on_call(web, team, "2026-05-22T06:00:00Z") == [RESPONDER]
    (event,) = await web.audit("&target_kind=schedule_entry")
    assert event["actor_user_id"] == ADMIN


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({"starts_at": "x"}, 422, "Give a date and a time"),
        ({"starts_at": "2026-05-22T08:00:00+02:00"}, 422, "Give a date and a time"),
        ({"ends_at": "2026-05-22T08:00"}, 422, "It must end after it starts"),
        ({"ends_at": ""}, 422, "Give a date and a time"),
        ({"user_id": "0"}, 422, "greater than or equal to 1"),
        ({"user_id": str(ACCOUNTS["deactivated"])}, 400, "is not active"),
        ({"starts_at": "2026-05-23T08:00", "ends_at": "2026-05-24T20:00"}, 409, "overlaps another entry"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "save"])
async def test_a_preview_refuses_what_saving_refuses_and_keeps_what_was_typed(
    web: Web, rows: Rows, fields: dict[str, str], status: int, why: str, step: str
) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, ADMIN, "2026-05-24T00:00:00Z", "2026-05-25T00:00:00Z")
    browser = await browse(web)

    typed = {**ENTRY, **fields}
    refused = await browser.post(f"/schedules/{schedule}/entries/new", step=step, **typed)

    assert refused.status_code == status
    assert why in refused.text
    for name in ("starts_at", "ends_at"):
        assert f'name="{name}" type="datetime-local" value="{html.escape(typed[name])}"' in refused.text
    assert "preview-title" not in refused.text
    assert await rows(count_of("schedule_entries")) == [{"number": 1}]


async def test_an_override_that_opens_nothing_and_one_that_changes_nothing_are_said_to(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, RESPONDER, "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z")
    browser = await browse(web)
    path = f"/schedules/{schedule}/entries/new"

    same = await browser.post(path, step="preview", **ENTRY, is_override="true")
    other = await browser.post(path, step="preview", **{**ENTRY, "user_id": str(ADMIN)}, is_override="true")

    assert "No change in who is on call" in same.text
    assert changes(other.text) == [
        ("You", "responder", "2026-05-22T08:00:00+00:00", "2026-05-22T20:00:00+00:00"),
    ]
    assert "No gaps until" in other.text


async def test_times_that_come_twice_or_never_are_told_of_before_it_is_saved(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    browser = await browse(web)
    path = f"/schedules/{schedule}/entries/new"

    night = {"user_id": str(RESPONDER), "starts_at": "2026-10-25T02:30", "ends_at": "2026-10-25T09:00"}
    twice = await browser.post(path, step="preview", **night)
    never = await browser.post(path, step="preview", **{**night, "starts_at": "2026-03-29T02:30"})

    assert "02:30 comes twice on 25 Oct in Europe/Berlin; the first of the two is meant." in twice.text
    assert changes(twice.text)[0][2:] == ("2026-10-25T00:30:00+00:00", "2026-10-25T08:00:00+00:00")
    assert "Clocks in Europe/Berlin go back by 1 h" in twice.text
    assert "02:30 never comes on 29 Mar in Europe/Berlin; 03:00 is meant instead." in never.text


async def test_removing_an_entry_says_which_gap_it_opens_and_the_button_says_it_too(web: Web, rows: Rows) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    entry = await an_entry(web, schedule, RESPONDER, "2026-05-22T06:00:00Z", "2026-05-22T18:00:00Z")
    browser = await browse(web)
    path = f"/schedules/{schedule}/entries/{entry}/remove"

    shown = await browser.get(path)

    gap = ("Gap: nobody", "responder", "2026-05-22T06:00:00+00:00", "2026-05-22T18:00:00+00:00")
    assert changes(shown.text) == [gap]
    assert "This opens a gap." in shown.text
    assert "Remove with the gap" in shown.text
    assert await rows(count_of("schedule_entries")) == [{"number": 1}]
    assert (await browser.post(path, step="save")).status_code == 303
    assert await rows(count_of("schedule_entries")) == [{"number": 0}]


async def test_a_rotation_is_previewed_saved_edited_and_removed(web: Web, rows: Rows) -> None:
    team, schedule = await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    browser = await browse(web)
    path = f"/schedules/{schedule}/rotations"
    hours = {"weekdays-0": ["0", "1"], "from-0": "09:00", "to-0": "17:00"}

    shown = await browser.post(f"{path}/new", step="preview", **ROTATION, **hours)
    assert changes(shown.text)[0] == (
        "responder", "nobody", "2026-05-25T07:00:00+00:00", "2026-05-25T15:00:00+00:00"
    )  # fmt: skip
    saved = await browser.post(f"{path}/new", **again(shown.text))
    assert saved.status_code == 303
    (made,) = (await web("GET", f"/api/v1{path}")).json()
    assert made["user_ids"] == [RESPONDER, ADMIN]
    assert made["restrictions"] == [{"weekdays": [0, 1], "from": "09:00", "to": "17:00"}]

    form = (await browser.get(f"{path}/{made['id']}/edit")).text
    assert 'value="2026-05-25T09:00"' in form
    assert form.count(" checked") == 2
    without = {**ROTATION, "priority": "7"}
    shown = await browser.post(f"{path}/{made['id']}/edit", step="preview", **without)
    assert (await browser.post(f"{path}/{made['id']}/edit", **again(shown.text))).status_code == 303
    (changed,) = (await web("GET", f"/api/v1{path}")).json()
    assert (changed["restrictions"], changed["priority"]) == ([], 7)
    assert await on_call(web, team, "2026-05-30T00:00:00Z") == [RESPONDER]

    gone = await browser.get(f"{path}/{made['id']}/remove")
    assert "This opens a gap." in gone.text
    assert (await browser.post(f"{path}/{made['id']}/remove", **again(gone.text))).status_code == 303
    assert await rows(count_of("schedule_rotations")) == [{"number": 0}]


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({"name": ""}, 422, "Field required"),
        ({"user_ids": ["", ""]}, 422, "at least 1"),
        ({"user_ids": ["999"]}, 400, "There is no user 999"),
        ({"kind": "yearly"}, 422, "Input should be"),
        ({"length": "0"}, 422, "greater than or equal to 1"),
        ({"handoff_at": ""}, 422, "Give a date and a time"),
        ({"from-0": "09:00", "to-0": "17:00"}, 422, "at least 1"),
        ({"weekdays-1": ["0"], "from-1": "9", "to-1": "17:00"}, 422, "should match"),
        ({"priority": "x"}, 422, "valid integer"),
    ],
)
async def test_a_rotation_that_cannot_be_is_refused_and_what_was_typed_is_kept(
    web: Web, rows: Rows, fields: dict[str, Any], status: int, why: str
) -> None:
    _, schedule = await a_schedule(web)
    browser = await browse(web)

    refused = await browser.post(f"/schedules/{schedule}/rotations/new", step="preview", **{**ROTATION, **fields})

    assert refused.status_code == status
    assert why in refused.text
    for name in ("length", "handoff_at", "priority"):
        assert f'value="{ {**ROTATION, **fields}[name] }"' in refused.text
    assert await rows(count_of("schedule_rotations")) == [{"number": 0}]


async def test_somebody_deactivated_keeps_their_place_in_a_rotation_that_is_edited(web: Web) -> None:
    _, schedule = await a_schedule(web)
    cy = await web.a_user(name="Cy")
    turns = {"user_ids": [cy["id"], ADMIN], "kind": "weekly", "handoff_at": "2026-05-04T09:00:00"}
    made = await web.made(f"schedules/{schedule}/rotations", name="Weeks", **turns)
    await web("DELETE", f"/api/v1/users/{cy['id']}")
    browser = await browse(web)
    path = f"/schedules/{schedule}/rotations/{made['id']}/edit"

    form = (await browser.get(path)).text
    fields = {**ROTATION, "name": "Other name", "user_ids": [str(cy["id"]), str(ADMIN)]}
    saved = await browser.post(path, step="save", **fields)

    assert "Cy (deactivated)" in form
    assert saved.status_code == 303
    assert (await web("GET", f"/api/v1/schedules/{schedule}/rotations")).json()[0]["user_ids"] == [cy["id"], ADMIN]


async def test_another_time_zone_is_previewed_because_handoffs_move(web: Web) -> None:
    _, schedule = await a_schedule(web, timezone="UTC")
    turns = {"user_ids": [RESPONDER, ADMIN], "kind": "weekly", "handoff_at": "2026-05-04T09:00:00"}
    await web.made(f"schedules/{schedule}/rotations", name="Weeks", **turns)
    browser = await browse(web)
    path = f"/schedules/{schedule}/edit"

    shown = await browser.post(path, step="preview", name="Second line", timezone="Europe/Berlin")
    wrong = await browser.post(path, step="preview", name="", timezone="Berlin")
    saved = await browser.post(path, **again(shown.text))

    assert changes(shown.text)[0][2:] == ("2026-05-25T07:00:00+00:00", "2026-05-25T09:00:00+00:00")
    assert (wrong.status_code, saved.status_code) == (422, 303)
    assert 'value="Berlin"' in wrong.text
    found = (await web("GET", f"/api/v1/schedules/{schedule}")).json()
    assert (found["name"], found["timezone"]) == ("Second line", "Europe/Berlin")


async def test_a_schedule_is_deleted_unless_a_level_uses_it(web: Web) -> None:
    team, schedule = await a_schedule(web)
    policy = await web.made("escalation-policies", team_id=team, name="Days")
    levels = f"escalation-policies/{policy['id']}/levels"
    level = await web.made(levels, level_number=1, timeout_minutes=5)
    assignees = f"{levels}/{level['id']}/assignees"
    assignee = await web.made(assignees, assignee_type="schedule", schedule_id=schedule)
    browser = await browse(web)

    refused = await browser.post(f"/schedules/{schedule}/delete")
    await web("DELETE", f"/api/v1/{assignees}/{assignee['id']}")
    deleted = await browser.post(f"/schedules/{schedule}/delete")

    assert refused.status_code == 409
    assert "still used by assignee" in refused.text
    assert (deleted.status_code, deleted.headers["location"]) == (303, "/schedules")
    assert (await browser.get(f"/schedules/{schedule}")).status_code == 404


@pytest.mark.parametrize("who", ["viewer", "responder"])
async def test_whoever_is_no_admin_is_shown_no_form_of_a_schedule_and_its_post_is_refused(
    web: Web, rows: Rows, who: str
) -> None:
    _, schedule = await a_schedule(web)
    entry = await an_entry(web, schedule, RESPONDER, "2026-05-22T06:00:00Z", "2026-05-22T18:00:00Z")
    made = await web.made(f"schedules/{schedule}/rotations", **{**ROTATION, "user_ids": [ADMIN], "length": 1,
                          "priority": 0, "handoff_at": "2026-05-25T09:00:00"})  # fmt: skip
    browser = await browse(web, who)

    page = (await browser.get(f"/schedules/{schedule}")).text
    assert not re.search(r"/(edit|remove|delete|new)", page)
    here = f"/schedules/{schedule}"
    for path in (
        "/schedules/new", f"{here}/edit", f"{here}/entries/new", f"{here}/rotations/new",
        f"{here}/entries/{entry}/remove", f"{here}/rotations/{made['id']}/edit",
        f"{here}/rotations/{made['id']}/remove",
    ):  # fmt: skip
        assert (await browser.get(path)).status_code == 403
        assert (await browser.post(path, step="save", **ENTRY)).status_code == 403
    assert (await browser.post(f"{here}/delete")).status_code == 403
    assert await rows(count_of("schedule_entries")) == [{"number": 1}]


async def test_a_responder_previews_a_cover_of_their_own_times_and_saves_it(web: Web) -> None:
    cy = await web.a_user(name="Cy")
    team, schedule = await a_schedule(web, RESPONDER, cy["id"])
    await an_entry(web, schedule, RESPONDER, "2026-05-22T00:00:00Z", "2026-05-23T00:00:00Z")
    browser = await browse(web, "responder")
    path = f"/schedules/{schedule}/cover"

    form = (await browser.get(f"{path}?starts_at=2026-05-22T00:00:00%2B00:00&ends_at=nonsense")).text
    assert 'value="2026-05-22T00:00"' in form
    mine = {**ENTRY, "user_id": str(cy["id"])}
    shown = await browser.post(path, step="preview", **mine)
    assert changes(shown.text) == [("Cy", "you", "2026-05-22T08:00:00+00:00", "2026-05-22T20:00:00+00:00")]
    theirs = await browser.post(path, step="preview", **{**mine, "ends_at": "2026-05-23T20:00"})
    assert theirs.status_code == 403
    assert "You can hand over only a time" in theirs.text
    saved = await browser.post(path, **again(shown.text))

    assert saved.status_code == 303
    assert await on_call(web, team, "2026-05-22T09:00:00Z") == [cy["id"]]


def changes(page: str) -> list[tuple[str, ...]]:
    """What a preview says: who instead of whom, from when to when."""
    found = re.search(r'<ul class="list changes">(.*?)<svg', page, re.DOTALL)
    if found is None:
        return []
    rows = []
    for item in re.findall(r"<li>((?:(?!<li>).)*?)</li>", found[1], re.DOTALL):
        who, whom = re.sub(r"<[^>]*>", "", item.partition('<span class="soft">')[0]).split("instead of")
        rows.append((html.unescape(who.strip()), html.unescape(whom.strip()), *re.findall(r'datetime="([^"]*)"', item)))
    return rows


def again(page: str) -> dict[str, Any]:
    """The fields of a preview's form, and its button."""
    form = re.search(r'id="preview".*?<form(.*?)</form>', page, re.DOTALL)
    assert form is not None
    fields: dict[str, Any] = {"step": "save"}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[1]):
        if name != "csrf":
            fields.setdefault(name, []).append(html.unescape(value))
    return fields


# What a preview says is what saving does, for many schedules and changes: compared by way of the API's timeline.


async def timeline_of(web: Web, schedule: int, until: str) -> Timeline:
    since = T0.isoformat().replace("+00:00", "Z")
    answer = await web("GET", f"/api/v1/schedules/{schedule}/timeline?from={since}&to={until}")
    assert answer.status_code == 200, answer.text
    found = answer.json()

    def at(text: str) -> datetime:
        return datetime.fromisoformat(text)

    spans = [
        Span(at(one["starts_at"]), at(one["ends_at"]), one["user_id"], OnCallReason(one["reason"]), None, None)
        for one in found["spans"]
    ]
    gaps = [Gap(at(one["starts_at"]), at(one["ends_at"])) for one in found["gaps"]]
    return Timeline(tuple(spans), tuple(gaps))


def a_change(chance: random.Random, people: list[int], number: int) -> tuple[str, dict[str, Any]]:
    """An entry, an override or a rotation, somewhere in the next weeks and months, clock changes included."""
    starts_at = T0 + timedelta(minutes=30 * chance.randrange(1, 48 * chance.choice([10, 200])))
    if chance.random() < 0.6:
        ends_at = starts_at + timedelta(minutes=30 * chance.randrange(1, 200))
        fields: dict[str, Any] = {"user_id": str(chance.choice(people))}
        fields |= {"starts_at": f"{starts_at:%Y-%m-%dT%H:%M}", "ends_at": f"{ends_at:%Y-%m-%dT%H:%M}"}
        return "entries/new", fields | ({"is_override": "true"} if chance.random() < 0.6 else {})
    fields = {"name": f"Rotation {number}", "handoff_at": f"{starts_at:%Y-%m-%dT%H:%M}"}
    fields |= {"kind": chance.choice(["hourly", "daily", "weekly", "monthly"]), "length": str(chance.randrange(1, 20))}
    fields |= {"priority": str(chance.randrange(-2, 3)), "user_ids": [str(chance.choice(people)) for _ in range(3)]}
    if chance.random() < 0.5:
        fields |= {
            "weekdays-0": [str(chance.randrange(7))],
            "from-0": "22:00",
            "to-0": chance.choice(["06:00", "23:30"]),
        }
    return "rotations/new", fields


async def previewed_and_saved(web: Web, browser: Browser, schedule: int, path: str, fields: dict[str, Any]) -> bool:
    """Whether it could be saved; what was said of it beforehand is what happened, or the test fails."""
    shown = await browser.post(path, step="preview", **fields)
    if shown.status_code != 200:
        assert (await browser.post(path, step="save", **fields)).status_code == shown.status_code
        return False
    until = re.findall(r'(?:No gaps until|until|between .*? and) <time datetime="([^"]*)"', shown.text)[-1]
    until = until.replace("+00:00", "Z")
    before = await timeline_of(web, schedule, until)
    assert (await browser.post(path, **again(shown.text))).status_code == 303
    after = await timeline_of(web, schedule, until)
    names = {None: ("Gap: nobody", "nobody"), ADMIN: ("You", "you")}
    expected = [
        (
            names.get(each.after, (f"Person {each.after}",))[0],
            names.get(each.before, (f"Person {each.before}",))[-1],
            each.starts_at.isoformat(),
            each.ends_at.isoformat(),
        )
        for each in differences(before, after)
    ]
    assert changes(shown.text) == expected[:30]
    return True


@pytest.mark.parametrize("seed", range(4))
async def test_saving_does_what_the_preview_said(web: Web, rows: Rows, seed: int) -> None:
    chance = random.Random(seed)
    people = [ADMIN, *[(await web.a_user())["id"] for _ in range(3)]]
    await rows("UPDATE directory.users SET name = 'Person ' || id WHERE id <> :me", me=ADMIN)
    zone = chance.choice(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
    _, schedule = await a_schedule(web, timezone=zone)
    browser = await browse(web)

    saved = 0
    for number in range(12):
        way, fields = a_change(chance, people, number)
        saved += await previewed_and_saved(web, browser, schedule, f"/schedules/{schedule}/{way}", fields)

    assert saved >= 6
