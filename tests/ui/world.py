"""What is there to look at? One of everything, made by the public API as an operator would."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment

PASSWORD = "a-long-password-of-somebody"


@dataclass(frozen=True)
class World:
    """The ids of what is there."""

    team_id: int
    user_id: int
    """Bo, a responder who can log in, and is on call now."""
    email: str
    other_id: int
    viewer_email: str
    schedule_id: int
    policy_id: int
    source_id: int
    source_key: str
    triggered_id: int
    acknowledged_id: int
    resolved_id: int
    empty_schedule_id: int
    busy_schedule_id: int
    """With rotations, hours, overrides and a long name, kept in another time zone."""
    rotation_id: int
    entry_id: int

    def path(self, template: str) -> str:
        """A path with the world's ids in it."""
        return template.format(**vars(self))


class Operator:
    """Calls the API as the admin; what must succeed does, or the test fails."""

    def __init__(self, deployment: Deployment) -> None:
        self.client = httpx.Client(base_url=deployment.url, auth=(ADMIN_EMAIL, ADMIN_PASSWORD), timeout=20)

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def alert(self, key: str, title: str, **more: Any) -> int:
        """The incident that a new alert opens."""
        body = {"title": title, "severity": "critical", "external_id": title, **more}
        answer = httpx.post(f"{self.client.base_url}/api/v1/alerts", json=body, headers={"X-API-Key": key}, timeout=20)
        assert answer.is_success, answer.text
        incident_id: int = answer.json()["id"]
        return incident_id


def a_world(deployment: Deployment) -> World:
    """Make it."""
    by = Operator(deployment)
    try:
        return _made(by, deployment.clock.now())
    finally:
        by.client.close()


def _made(by: Operator, now: datetime) -> World:
    team = by.post("/api/v1/teams", name="Platform")
    bo = by.post("/api/v1/users", name="Bo Berg", email="bo@example.org", role="responder", phone="+4915110000001",
                 timezone="Europe/Berlin", password=PASSWORD)  # fmt: skip
    cy = by.post("/api/v1/users", name="Cy Castro", email="cy@example.org", role="responder", phone="+4915110000002")
    by.post("/api/v1/users", name="Vi Viewer", email="vi@example.org", role="viewer", password=PASSWORD)
    for user in (bo, cy):
        by.post(f"/api/v1/teams/{team['id']}/members", user_id=user["id"])
    schedule = by.post("/api/v1/schedules", team_id=team["id"], name="First line", timezone="Europe/Berlin")
    entries = f"/api/v1/schedules/{schedule['id']}/entries"
    by.post(entries, user_id=bo["id"], starts_at=(now - timedelta(hours=6)).isoformat(),
            ends_at=(now + timedelta(hours=18)).isoformat())  # fmt: skip
    by.post(entries, user_id=cy["id"], starts_at=(now + timedelta(hours=20)).isoformat(),
            ends_at=(now + timedelta(days=3)).isoformat())  # fmt: skip
    policy = by.post("/api/v1/escalation-policies", team_id=team["id"], name="Platform policy", repeat_count=1)
    levels = f"/api/v1/escalation-policies/{policy['id']}/levels"
    first = by.post(levels, level_number=1, timeout_minutes=5)
    by.post(f"{levels}/{first['id']}/assignees", assignee_type="schedule", schedule_id=schedule["id"])
    second = by.post(levels, level_number=2, timeout_minutes=10)
    by.post(f"{levels}/{second['id']}/assignees", assignee_type="user", user_id=cy["id"])
    source = by.post("/api/v1/alert-sources", team_id=team["id"], name="Grafana of the shop", source_type="grafana")
    generic = by.post("/api/v1/alert-sources", team_id=team["id"], name="Cron jobs", source_type="generic")
    key = generic["api_key"]
    resolved = by.alert(key, "Certificate of api.example.org ends in 3 days", severity="info")
    by.post(f"/api/v1/incidents/{resolved}/resolve", user_id=bo["id"])
    acknowledged = by.alert(key, "Replica of orders-db is 40 s behind", severity="warning")
    by.post(f"/api/v1/incidents/{acknowledged}/ack", user_id=cy["id"])
    description = "Mount /var/lib/postgresql is at 97 %.\nIt grows by 1 % per minute."
    triggered = by.alert(key, "Disk almost full on db-1.prod.example.org", description=description)
    return World(
        team_id=team["id"],
        user_id=bo["id"],
        email=bo["email"],
        other_id=cy["id"],
        viewer_email="vi@example.org",
        schedule_id=schedule["id"],
        policy_id=policy["id"],
        source_id=source["id"],
        source_key=key,
        triggered_id=triggered,
        acknowledged_id=acknowledged,
        resolved_id=resolved,
        **_schedules(by, now, people=(bo["id"], cy["id"])),
    )


def _schedules(by: Operator, now: datetime, *, people: tuple[int, int]) -> dict[str, int]:
    """Another team's: one schedule without anybody, and one with much on it."""
    team = by.post("/api/v1/teams", name="Payments, cards and everything that has to do with money in and out")
    empty = by.post("/api/v1/schedules", team_id=team["id"], name="Nights", timezone="America/New_York")
    busy = by.post("/api/v1/schedules", team_id=team["id"], name="Second line for the databases of the whole company",
                   timezone="America/New_York")  # fmt: skip
    rotations = f"/api/v1/schedules/{busy['id']}/rotations"
    first_day = (now - timedelta(days=21)).date()
    admin = by.get("/api/v1/users")[0]["id"]
    weeks = by.post(rotations, name="Weeks", user_ids=[admin, *people], kind="daily", length=2,
                    handoff_at=f"{first_day}T09:00:00")  # fmt: skip
    hours = [{"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}]
    by.post(rotations, name="Business hours", user_ids=list(people), kind="weekly", priority=5, restrictions=hours,
            handoff_at=f"{first_day}T09:00:00")  # fmt: skip
    entries = f"/api/v1/schedules/{busy['id']}/entries"
    entry = by.post(entries, user_id=people[0], starts_at=(now + timedelta(days=4)).isoformat(),
                    ends_at=(now + timedelta(days=5, hours=7)).isoformat(), is_override=True)  # fmt: skip
    by.post(entries, user_id=admin, starts_at=(now + timedelta(days=4, hours=12)).isoformat(),
            ends_at=(now + timedelta(days=6)).isoformat(), is_override=True)  # fmt: skip
    return {
        "empty_schedule_id": empty["id"],
        "busy_schedule_id": busy["id"],
        "rotation_id": weeks["id"],
        "entry_id": entry["id"],
    }
