"""`GET /api/v1/incidents/{id}/explain`: why was somebody paged, why not, and will they be?"""

import json
from datetime import datetime, timedelta
from typing import Any

from pagerpal_common.directory import find_policy
from pagerpal_common.escalation import POLICY_JSON
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows

from .conftest import ACCOUNTS, T0, Web
from .test_incidents import insert_incident
from .test_simulate import a_policy, a_schedule, schedule, user


class Incident:
    """An incident of a team whose policy has Ana by name at level 1 and a schedule at level 2, five minutes each."""

    def __init__(self, web: Web, rows: Rows) -> None:
        self.web, self.rows = web, rows
        self.id = 0
        self.people: dict[str, int] = {}

    async def opened(self, **fields: Any) -> None:
        for name in ("Ana", "Bo", "Cy"):
            made = await self.web.a_user(name=name, phone="+491701234567")
            self.people[name] = made["id"]
        team = (await self.web.a_team())["id"]
        primary = await a_schedule(self.web, team, self.people["Ana"], self.people["Bo"])
        await a_policy(self.web, team, [user(self.people["Ana"])], [schedule(primary)])
        self.id = await insert_incident(self.rows, team_id=team, **fields)

    async def followed(self) -> None:
        """The run keeps the policy as it is now."""
        async with self.rows._db.begin() as tx:
            policy = await find_policy(tx, team_id=1, policy_id=None)
        await self.rows(
            "INSERT INTO escalation.escalations VALUES (7, :id, 1, :policy, 'waiting', 1, 1, 0, NULL, NULL, :at)",
            id=self.id,
            policy=POLICY_JSON.dump_json(policy).decode() if policy else None,
            at=T0,
        )

    async def enters(self, level: int, name: str, *reason: str, at: datetime = T0, run: int = 7) -> int:
        await self.rows(
            "UPDATE incidents.incidents SET current_escalation_level = :level, level_entered_at = :at",
            level=level,
            at=at,
        )
        (row,) = await self.rows(
            "INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, "
            "reason, requested_at, is_open) VALUES (:id, :run, 1, :level, 0, :user, :reason, :at, true) RETURNING id",
            id=self.id,
            run=run,
            level=level,
            user=self.people[name],
            reason=json.dumps(reason),
            at=at,
        )
        return int(row["id"])

    async def explained(self, name: str) -> Any:
        path = f"/api/v1/incidents/{self.id}/explain?user_id={self.people[name]}"
        response = await self.web("GET", path, who="viewer")
        assert response.status_code == 200, response.text
        return response.json()


async def test_who_was_paged_sees_the_chain_of_reasons_and_what_became_of_each_way(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await incident.followed()
    request = await incident.enters(1, "Ana", "policy 'Nights', level 1", "assigned by name")
    await rows(
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step, "
        "pass_number, level, reason, status, address, attempts, error, created_at, settled_at) "
        "VALUES (:request, :id, 7, :user, 'sms', 1, 1, 1, :reason, 'failed', '+491701234567', 1, 'Infobip: REJECTED', "
        ":at, :at)",
        request=request,
        id=incident.id,
        user=incident.people["Ana"],
        reason=json.dumps(["policy 'Nights', level 1", "assigned by name", "default rule: SMS at once"]),
        at=T0,
    )

    found = await incident.explained("Ana")

    assert (found["was_paged"], found["was_reached"], found["why_not"]) == (True, False, [])
    (page,) = found["pages"]
    assert (page["pass"], page["level"], page["reminder"], page["escalation_id"]) == (1, 1, 0, 7)
    assert page["reason"] == ["policy 'Nights', level 1", "assigned by name"]
    (way,) = page["notifications"]
    assert way["reason"][-1] == "default rule: SMS at once"
    assert (way["status"], way["error"], way["address"]) == ("failed", "Infobip: REJECTED", "+49…4567")
    assert found["ahead"] == []


async def test_whose_level_is_still_to_come_learns_when_and_why(web: Web, rows: Rows, clock: Clock) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await incident.followed()
    await incident.enters(1, "Ana")
    clock.advance(minutes=2)

    found = await incident.explained("Bo")

    assert found["why_not"] == [
        "level 1 paged Ana at 2026-05-21T12:00:00Z",
        "not yet: level 2 pages Bo at 2026-05-21T12:05:00Z unless somebody answers before",
    ]
    first, reminder = found["ahead"]
    assert (first["at"], first["level"], first["reminder"]) == ("2026-05-21T12:05:00Z", 2, 0)
    assert first["reason"] == ["policy 'Nights', level 2", "on call on schedule 'Primary' by rotation 1"]
    assert (reminder["at"], reminder["reminder"]) == ("2026-05-21T12:35:00Z", 1)


async def test_who_was_not_on_call_learns_who_was(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await incident.followed()
    await incident.enters(1, "Ana")
    await incident.enters(2, "Bo", at=T0 + timedelta(minutes=5))

    assert (await incident.explained("Cy"))["why_not"] == [
        "level 1 paged Ana at 2026-05-21T12:00:00Z",
        "level 2 paged Bo at 2026-05-21T12:05:00Z",
        "on schedule 'Primary' Bo was on call then, as the schedule stands today",
        "policy 'Nights' names Cy at no level, neither by name nor by a schedule",
    ]


async def test_an_acknowledgement_before_their_level_is_named_with_who_and_when(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened(status="acknowledged")
    await incident.followed()
    await incident.enters(1, "Ana")
    await rows(
        "UPDATE incidents.incidents SET acknowledged_by = :ana, acknowledged_at = :at",
        ana=incident.people["Ana"],
        at=T0 + timedelta(minutes=1),
    )

    found = await incident.explained("Bo")

    assert found["why_not"][1:] == [
        "acknowledged by Ana at 2026-05-21T12:01:00Z, before level 2 was entered, which would have paged Bo"
    ]
    assert found["ahead"] == []


async def test_an_end_before_anybody_was_paged(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened(status="resolved", resolved_at=T0)

    assert (await incident.explained("Cy"))["why_not"] == [
        "resolved by its alert source at 2026-05-21T12:00:00Z, before anybody was paged",
        "policy 'Nights' names Cy at no level, neither by name nor by a schedule",
    ]
    assert (await incident.explained("Ana"))["why_not"] == [
        "resolved by its alert source at 2026-05-21T12:00:00Z, before level 1 was entered, which would have paged Ana"
    ]


async def test_a_level_that_was_passed_over_is_told(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened()
    await incident.followed()
    await rows("UPDATE directory.users SET is_active = false WHERE id = :ana", ana=incident.people["Ana"])
    note = "Level 1 passed over: user is not active"
    for kind, message in (("level_skipped", "of an earlier run"), ("reopened", "Reopened"), ("level_skipped", note)):
        await rows(
            "INSERT INTO incidents.events (incident_id, event_type, message, created_at, data) "
            "VALUES (:id, :kind, :message, :at, '{}')",
            id=incident.id,
            kind=kind,
            message=message,
            at=T0,
        )
    await incident.enters(2, "Bo")

    found = await incident.explained("Ana")

    assert not found["is_active"]
    assert found["why_not"] == [
        "Ana is deactivated, and so is never paged",
        "level 2 paged Bo at 2026-05-21T12:00:00Z",
        "on schedule 'Primary' Bo was on call then, as the schedule stands today",
        note,
    ]


async def test_a_test_alert_pages_nobody_and_says_so(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened(status="resolved", resolved_at=T0)
    await rows("UPDATE incidents.incidents SET is_test = true")

    assert (await incident.explained("Ana"))["why_not"] == [
        "it was opened by the test button of its source, and pages nobody",
        "resolved by its alert source at 2026-05-21T12:00:00Z, before anybody was paged",
    ]


async def test_pages_of_an_earlier_run_are_shown_and_the_present_one_is_explained(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened(escalation_id=8)
    await incident.enters(2, "Bo", run=7)
    await rows("UPDATE incidents.incidents SET current_escalation_level = 0")

    found = await incident.explained("Bo")

    assert (found["was_paged"], [page["escalation_id"] for page in found["pages"]]) == (True, [7])
    assert found["why_not"] == ["not yet: level 2 pages Bo at 2026-05-21T12:05:00Z unless somebody answers before"]


async def test_an_acknowledgement_with_a_time_out_only_postpones(web: Web, rows: Rows) -> None:
    incident = Incident(web, rows)
    await incident.opened(status="acknowledged", acknowledged_at=T0)
    await rows("UPDATE directory.escalation_policies SET ack_timeout_minutes = 10")
    await incident.followed()
    await incident.enters(1, "Ana")

    assert (await incident.explained("Bo"))["ahead"][0]["at"] == "2026-05-21T12:10:00Z"


async def test_without_a_policy_the_teams_people_stand_in(web: Web, rows: Rows) -> None:
    incident = await insert_incident(rows, team_id=(await web.a_team())["id"])

    viewer = (await web("GET", f"/api/v1/incidents/{incident}/explain", who="viewer")).json()
    admin = (await web("GET", f"/api/v1/incidents/{incident}/explain")).json()

    assert viewer["user_id"] == ACCOUNTS["viewer"]
    assert viewer["why_not"] == [
        "the team has no escalation policy, and viewer is not among those who are paged instead"
    ]
    assert admin["ahead"][0]["reason"] == ["the team has no escalation policy", "an administrator"]


async def test_an_unknown_incident_or_person_is_404(web: Web, rows: Rows) -> None:
    incident = await insert_incident(rows)

    for path, expected in ((f"{incident}/explain?user_id=999", "user"), ("999/explain?user_id=1", "incident")):
        response = await web("GET", f"/api/v1/incidents/{path}")
        assert (response.status_code, response.json()) == (404, {"detail": f"there is no {expected} 999"})
