"""What does PagerPal look like with people in it? `demo.py URL` makes a team with a policy, and then alerts for ever.

It only uses the public API, as anybody would: the first admin by the setup token, people, a schedule, a policy of two
levels and an alert source; then, every so often, an alert that fires, now and then one that repeats or ends. The
admin is demo@example.org; the password is in the file that PAGERPAL_DEMO_PASSWORD_FILE names. Started again, it makes
nothing twice. For trying it only: everybody in it is made up, and pages go to the notifier's console.
"""

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

EMAIL = "demo@example.org"
TIMEOUT_SECONDS = 20.0
RETRY_SECONDS = 2.0

PEOPLE = (("ada@example.org", "Ada Example"), ("ben@example.org", "Ben Example"), ("cleo@example.org", "Cleo Example"))
ALERTS = (
    ("CPU over 95% on {}", "critical", "api-03"),
    ("Disk 91% full on {}", "warning", "db-01"),
    ("5xx rate over 2% at {}", "critical", "checkout"),
    ("Certificate of {} ends in 6 days", "info", "www"),
    ("Replication lag over 30 s on {}", "warning", "db-02"),
)


def main() -> None:
    url, pause = sys.argv[1], float(os.environ.get("PAGERPAL_DEMO_SECONDS", "20"))
    limit = int(os.environ.get("PAGERPAL_DEMO_ALERTS", "0"))
    auth = (EMAIL, _secret("PAGERPAL_DEMO_PASSWORD"))
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        become_admin(client, auth[1], _secret("PAGERPAL_SETUP_TOKEN"))
        key = seed(client, auth)
        print(f"PagerPal has people now; log in as {EMAIL}. An alert comes every {pause:g} s.")
        for number, alert in enumerate(alerts(), start=1):
            print(send(client, key, alert))
            if number == limit:
                return
            time.sleep(pause)


def become_admin(client: httpx.Client, password: str, setup_token: str) -> None:
    """The first admin, unless that has happened before."""
    body = {"email": EMAIL, "password": password, "name": "Demo", "setup_token": setup_token}
    answer = client.post("/bootstrap/admin", json=body)
    if not answer.is_success and client.get("/api/v1/teams", auth=(EMAIL, password)).status_code != 200:
        sys.exit(f"The demo needs a PagerPal of its own: {answer.status_code} {answer.text}")
    client.cookies.clear()  # from here on by Basic, as programs do


def seed(client: httpx.Client, auth: tuple[str, str]) -> str:
    """A team that can be paged, and the key of an alert source of its.

    Keys are shown once, so that a second start makes a source beside that of the first.
    """

    def post(path: str, **body: Any) -> dict[str, Any]:
        answer = client.post(f"/api/v1{path}", json=body, auth=auth)
        if not answer.is_success:
            sys.exit(f"{path}: {answer.status_code} {answer.text}")
        return dict(answer.json())

    teams = client.get("/api/v1/teams", auth=auth).raise_for_status().json()
    team = teams[0]["id"] if teams else _team(post)
    return str(post("/alert-sources", team_id=team, name="Metrics", source_type="generic")["api_key"])


def _team(post: Callable[..., dict[str, Any]]) -> int:
    people = [post("/users", email=email, name=name, role="responder")["id"] for email, name in PEOPLE]
    team = post("/teams", name="Core platform")["id"]
    for person in people:
        post(f"/teams/{team}/members", user_id=person)
    schedule = post("/schedules", team_id=team, name="Primary", timezone="Europe/Berlin")["id"]
    now = datetime.now(UTC)  # noqa: TID251 - a program for people to look at
    for day, person in enumerate(itertools.islice(itertools.cycle(people), 14)):
        begins = now + timedelta(days=day)
        ends = begins + timedelta(days=1)
        entry = {"user_id": person, "starts_at": begins.isoformat(), "ends_at": ends.isoformat()}
        post(f"/schedules/{schedule}/entries", **entry)
    policy = post("/escalation-policies", team_id=team, name="Primary, then everybody")["id"]
    levels = ([{"schedule_id": schedule}], 5), ([{"user_id": person} for person in people], 10)
    for number, (assignees, minutes) in enumerate(levels, start=1):
        level = post(f"/escalation-policies/{policy}/levels", level_number=number, timeout_minutes=minutes)["id"]
        for assignee in assignees:
            kind = next(iter(assignee)).removesuffix("_id")
            post(f"/escalation-policies/{policy}/levels/{level}/assignees", assignee_type=kind, **assignee)
    return int(team)


def alerts() -> Iterator[dict[str, str]]:
    """Firing ones, among which some repeat and some end."""
    open_: list[dict[str, str]] = []
    for number in itertools.count(1):
        if open_ and number % 5 == 0:
            yield {**open_.pop(0), "status": "resolved"}
        elif open_ and number % 5 == 3:
            yield open_[-1]
        else:
            title, severity, place = ALERTS[number % len(ALERTS)]
            fresh = {"external_id": f"demo-{int(time.time())}-{number}", "title": title.format(place)}
            open_.append({**fresh, "severity": severity, "status": "firing"})
            yield open_[-1]


def send(client: httpx.Client, key: str, alert: dict[str, str]) -> str:
    """Until it is kept; what became of it."""
    while True:
        try:
            answer = client.post("/api/v1/alerts", json=alert, headers={"X-API-Key": key})
            if answer.status_code < 500:
                return f"{answer.status_code} {alert['status']} {alert['title']}"
            print(f"{answer.status_code}: it is sent again")
        except httpx.TransportError as error:
            print(f"{type(error).__name__}: it is sent again")
        time.sleep(RETRY_SECONDS)


def _secret(name: str) -> str:
    return Path(os.environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    main()
