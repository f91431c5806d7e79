"""People read names: in reasons, in the timeline, in the audit log and in calendars, whatever numbers are stored."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows

from .browser import browse, text_of
from .conftest import ACCOUNTS, T0, Web
from .test_explain import Incident

NASTY = "Nights <script>alert(1)</script>\u202e" + "x" * 200
RULE = "rule 5 for critical: SMS at once"


async def told(incident: Incident, *reason: str, error: str | None = None) -> None:
    """Ana is paged, for these reasons."""
    request = await incident.enters(1, "Ana", *reason)
    await incident.rows(
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step, "
        "pass_number, level, reason, status, attempts, error, created_at, settled_at) "
        "VALUES (:request, :id, 7, :user, 'sms', 1, 1, 1, :reason, 'failed', 1, :error, :at, :at)",
        request=request,
        id=incident.id,
        user=incident.people["Ana"],
        reason=json.dumps([*reason, RULE]),
        error=error,
        at=T0,
    )


async def pages_of(web: Web, incident: Incident) -> tuple[str, str]:
    """The incident's page and the one that explains it."""
    viewer = await browse(web, "viewer")
    path = f"/incidents/{incident.id}"
    return (
        text_of(await viewer.get(path)),
        text_of(await viewer.get(f"{path}/explain?user_id={incident.people['Ana']}")),
    )


async def test_a_reason_names_the_rotation_and_what_is_stored_stays(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await told(incident, "policy 'Nights', level 1", "on call on schedule 'Primary' by rotation 1")

    for page in await pages_of(web, incident):
        assert "on call on schedule 'Primary' by rotation 'Daily'" in page
        assert "their own rule for critical: SMS at once" in page
        assert "rotation 1" not in page
        assert "rule 5" not in page
    (stored,) = await rows("SELECT reason FROM notification.notifications")
    assert stored["reason"][1:] == ["on call on schedule 'Primary' by rotation 1", RULE]


async def test_a_rotation_that_is_gone_is_called_a_deleted_one(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await told(incident, "on call on schedule 'Primary' by rotation 2", "on call on schedule 'Primary' by entry 99")

    for page in await pages_of(web, incident):
        assert "by a deleted rotation (2)" in page
        assert "by a deleted entry (99)" in page


async def test_an_override_is_told_by_its_times_in_the_zone_of_whoever_looks(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await rows("UPDATE directory.users SET timezone = 'Europe/Berlin' WHERE name = 'viewer'")
    shift = {"starts_at": "2026-05-21T20:00:00Z", "ends_at": "2026-05-22T06:00:00Z", "is_override": True}
    made = await web.made("schedules/1/entries", user_id=incident.people["Bo"], **shift)
    await told(incident, f"on call on schedule 'Primary' by override {made['id']}")

    for page in await pages_of(web, incident):
        assert "by an override from 22:00:00 to Fri 22 May 08:00:00" in page


async def test_the_name_of_a_rotation_is_text_and_short(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await rows("UPDATE directory.schedule_rotations SET name = :name", name=NASTY)
    await told(incident, "on call on schedule 'Primary' by rotation 1")

    shown = await (await browse(web, "viewer")).get(f"/incidents/{incident.id}")

    assert "by rotation &#39;Nights &lt;script&gt;alert(1)&lt;/script&gt; x" in shown.text
    assert "<script>alert" not in shown.text
    assert "x" * 100 not in shown.text


async def test_why_somebody_was_not_paged_is_told_in_the_zone_of_whoever_looks(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await incident.followed()
    await incident.enters(1, "Ana", "assigned by name")
    await rows("UPDATE directory.users SET timezone = 'Europe/Berlin' WHERE name = 'viewer'")
    viewer = await browse(web, "viewer")

    page = text_of(await viewer.get(f"/incidents/{incident.id}/explain?user_id={incident.people['Bo']}"))

    assert "Why not Level 1 paged Ana at 14:00:00." in page
    assert "2026-05-21T" not in page
    assert (await incident.explained("Bo"))["why_not"][0] == "level 1 paged Ana at 2026-05-21T12:00:00Z"


async def test_a_level_that_was_passed_over_names_whom(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    for kind in ("level_skipped", "note"):
        await rows(
            "INSERT INTO incidents.events (incident_id, event_type, message, created_at, data) "
            "VALUES (:id, :kind, :message, :at, '{}')",
            id=incident.id,
            kind=kind,
            message=f"Level 2 passed over: user {incident.people['Bo']} is not active; user 4711 is not active",
            at=T0 + timedelta(minutes=1),
        )

    page, _ = await pages_of(web, incident)

    assert "Level 2 passed over: Bo is not active; a deleted user (4711) is not active" in page
    assert f"user {incident.people['Bo']} is not active" in page, "what somebody has written is left as it is"


async def audited(web: Web, query: str = "") -> str:
    response = await (await browse(web)).get(f"/settings/audit{query}")
    assert response.status_code == 200
    return text_of(response)


async def test_the_audit_log_names_what_was_done_to(web: Web) -> None:
    team, ana = await web.a_team(), await web.a_user(name="Ana")
    schedule = await web.made("schedules", team_id=team["id"], name="Core")
    times = {"starts_at": "2026-05-22T00:00:00Z", "ends_at": "2026-05-23T00:00:00Z"}
    entry = await web.made(f"schedules/{schedule['id']}/entries", user_id=ana["id"], **times)
    weekly = {"kind": "weekly", "handoff_at": "2026-05-18T09:00:00", "user_ids": [ana["id"]]}
    await web.made(f"schedules/{schedule['id']}/rotations", name="Nights", **weekly)
    await web.made(f"teams/{team['id']}/members", user_id=ana["id"])

    page = await audited(web)

    assert "created schedule entry of Ana on schedule Core" in page
    assert "created rotation Nights of schedule Core" in page
    assert "created team member Ana of team Platform" in page
    assert f"User id Ana ({ana['id']})" in page
    assert (await web("DELETE", f"/api/v1/schedules/{schedule['id']}/entries/{entry['id']}")).status_code == 204
    assert "deleted schedule entry of Ana" in await audited(web)
    assert (await web("DELETE", f"/api/v1/schedules/{schedule['id']}")).status_code == 204
    page = await audited(web, "?target_kind=schedule")
    assert "deleted schedule Core" in page
    assert "created schedule Core" in page


@pytest.mark.parametrize("feed", [{}, {"schedule_id": "1"}], ids=["one's own", "a schedule's"])
async def test_a_calendar_says_which_rotation(web: Web, feed: dict[str, Any]) -> None:
    team = await web.a_team()
    schedule = await web.made("schedules", team_id=team["id"], name="Core")
    weekly = {"kind": "weekly", "handoff_at": "2026-05-18T09:00:00", "user_ids": [ACCOUNTS["viewer"]]}
    await web.made(f"schedules/{schedule['id']}/rotations", name="Nights", **weekly)
    viewer = await browse(web, "viewer")
    made = await viewer.post("/on-call/calendars/renew", **feed)

    path = made.text.partition("/calendar/")[2].partition(".ics")[0]
    calendar = (await viewer.get(f"/calendar/{path}.ics")).text

    assert "DESCRIPTION:By rotation Nights." in calendar
    assert "By rotation 1" not in calendar
