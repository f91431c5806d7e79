"""What can a story say? The product's own words, spoken to a running PagerPal through its public API.

Nothing here sleeps and hopes: what a story expects is waited for until a deadline, and what it does not expect is
looked for once PagerPal has nothing left to do (`settled.py`). A page that nobody expected fails its story.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment
from tests.e2e.fake_infobip import Asked, Behaviour, Kind
from tests.e2e.settled import settled

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02
PASSWORD = "a-long-password-of-somebody"

Json = Any


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@dataclass(frozen=True)
class Person:
    """Somebody who can be paged."""

    user_id: int
    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Shift:
    """A stretch on a schedule, from and to so far from now."""

    person: str
    begins: timedelta = timedelta(hours=-1)
    ends: timedelta = timedelta(hours=8)
    is_override: bool = False


@dataclass(frozen=True)
class Turns:
    """People who take turns on a schedule; the first has theirs until the next handoff."""

    people: Sequence[str]
    zone: str
    kind: str
    next_handoff: timedelta


@dataclass(frozen=True)
class Rota:
    """A schedule as an assignee of a level."""

    shifts: Sequence[Shift] = ()
    turns: Turns | None = None


Level = str | Rota | Sequence[str | Rota]


@dataclass(frozen=True)
class Team:
    """A team with a source that may send alerts for it."""

    team_id: int
    source_id: int
    api_key: str


@dataclass
class Pagerpal:
    """One story's view of a deployment."""

    deployment: Deployment
    api: httpx.AsyncClient
    ingest: httpx.AsyncClient
    people: dict[str, Person] = field(default_factory=dict)
    incidents: set[int] = field(default_factory=set)
    teams: list[Team] = field(default_factory=list)
    calls_allowed: set[str] = field(default_factory=set)

    # Given

    async def given_person(self, name: str, *, role: str = "responder", can_log_in: bool = False) -> Person:
        """Somebody with a phone number that nobody else has."""
        if name not in self.people:
            number = next(self.deployment.numbers)
            phone, email = f"+49151{10000000 + number}", f"{name}-{number}@example.org"
            body = {"name": name, "email": email, "role": role, "phone": phone}
            if can_log_in:
                body["password"] = PASSWORD
            self.deployment.canaries.plant("phone number", phone)
            self.deployment.canaries.plant("password", PASSWORD)
            user = await self.create("/api/v1/users", body)
            self.people[name] = Person(user["id"], name, email, phone)
        return self.people[name]

    async def given_team(
        self,
        levels: Sequence[Level] = (),
        *,
        timeout: timedelta = timedelta(minutes=5),
        repeat: int = 0,
        members: Sequence[str] = (),
        **policy: Any,
    ) -> Team:
        """A team, its alert source, and, when there are levels, its escalation policy."""
        team = await self.create("/api/v1/teams", {"name": f"team {next(self.deployment.numbers)}"})
        for name in members:
            person = await self.given_person(name)
            await self.create(f"/api/v1/teams/{team['id']}/members", {"user_id": person.user_id})
        if levels:
            body = {"team_id": team["id"], "name": "the policy", "repeat_count": repeat, **policy}
            made = await self.create("/api/v1/escalation-policies", body)
            for number, level in enumerate(levels, start=1):
                await self._given_level(made["id"], team["id"], number, timeout, level)
        return await self.given_source(team["id"])

    async def given_source(self, team_id: int, **config: Any) -> Team:
        """A source of its own for a team, configured so."""
        body = {"team_id": team_id, "name": "monitoring", "source_type": "generic", "config": config or None}
        source = await self.create("/api/v1/alert-sources", body)
        self.deployment.canaries.plant("source key", source["api_key"])
        self.teams.append(Team(team_id, source["id"], source["api_key"]))
        return self.teams[-1]

    async def given_schedule(self, team_id: int, rota: Rota) -> int:
        """A schedule with these shifts and turns, around the deployment's present."""
        zone = rota.turns.zone if rota.turns else "UTC"
        body = {"team_id": team_id, "name": "first line", "timezone": zone}
        schedule = await self.create("/api/v1/schedules", body)
        now = self.deployment.clock.now()
        if rota.turns:
            await self._given_turns(schedule["id"], rota.turns, now)
        for shift in rota.shifts:
            body = {
                "user_id": (await self.given_person(shift.person)).user_id,
                "starts_at": (now + shift.begins).isoformat(),
                "ends_at": (now + shift.ends).isoformat(),
                "is_override": shift.is_override,
            }
            await self.create(f"/api/v1/schedules/{schedule['id']}/entries", body)
        schedule_id: int = schedule["id"]
        return schedule_id

    async def _given_turns(self, schedule_id: int, turns: Turns, now: datetime) -> None:
        first_handoff = now + turns.next_handoff - {"hourly": hours(1), "daily": hours(24)}[turns.kind]
        on_the_wall = first_handoff.astimezone(ZoneInfo(turns.zone)).replace(tzinfo=None, microsecond=0)
        body = {
            "name": "turns",
            "user_ids": [(await self.given_person(name)).user_id for name in turns.people],
            "kind": turns.kind,
            "handoff_at": on_the_wall.isoformat(),
        }
        await self.create(f"/api/v1/schedules/{schedule_id}/rotations", body)

    async def _given_level(self, policy_id: int, team_id: int, number: int, timeout: timedelta, level: Level) -> None:
        path = f"/api/v1/escalation-policies/{policy_id}/levels"
        body = {"level_number": number, "timeout_minutes": timeout / minutes(1)}
        made = await self.create(path, body)
        for assignee in [level] if isinstance(level, str | Rota) else level:
            if isinstance(assignee, Rota):
                schedule_id = await self.given_schedule(team_id, assignee)
                wanted = {"assignee_type": "schedule", "schedule_id": schedule_id}
            else:
                wanted = {"assignee_type": "user", "user_id": (await self.given_person(assignee)).user_id}
            await self.create(f"{path}/{made['id']}/assignees", wanted)

    # When

    async def send_alert(self, team: Team, *, external_id: str | None = "disk-full", **fields: Any) -> httpx.Response:
        """What a monitoring system posts; the answer, whatever it is."""
        body = {"title": "Disk full on db-1", "severity": "critical", "external_id": external_id, **fields}
        answer = await self.ingest.post("/api/v1/alerts", json=body, headers={"X-API-Key": team.api_key})
        if answer.status_code in {200, 201} and "id" in answer.json():
            self.incidents.add(answer.json()["id"])
        return answer

    async def open_incident(self, team: Team, **fields: Any) -> Json:
        """An alert that opens an incident: the incident."""
        answer = await self.send_alert(team, **fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def advance(self, by: timedelta) -> None:
        """Let time pass, for every process at once."""
        self.deployment.clock.advance(by)

    async def acknowledge(self, incident_id: int, *, by: str) -> httpx.Response:
        return await self.act(incident_id, "ack", by)

    async def resolve(self, incident_id: int, *, by: str) -> httpx.Response:
        return await self.act(incident_id, "resolve", by)

    async def reopen(self, incident_id: int, *, by: str) -> httpx.Response:
        return await self.act(incident_id, "reopen", by)

    async def escalate(self, incident_id: int, *, by: str, expected_level: int | None = None) -> httpx.Response:
        more = {} if expected_level is None else {"expected_level": expected_level}
        return await self.act(incident_id, "escalate", by, **more)

    async def act(self, incident_id: int, action: str, by: str, **more: Any) -> httpx.Response:
        """What somebody asks of an incident; the admin is logged in and acts in their name."""
        person = await self.given_person(by)
        return await self.api.post(
            f"/api/v1/incidents/{incident_id}/{action}", json={"user_id": person.user_id, **more}
        )

    def provider_will(self, name: str, *behaviours: Behaviour) -> None:
        """What Infobip does with the next messages to somebody."""
        self.deployment.infobip.will(self.people[name].phone, *behaviours)

    async def provider_reports(self, *reports: tuple[Asked, Mapping[str, Any]]) -> None:
        """Infobip posts receipts: what became of pages that it has taken."""
        answer = await self.deployment.infobip.report(self.deployment.url, *reports)
        assert answer.status_code == 200, answer.text

    async def answer_by_sms(self, name: str, text: str, *, message_id: str | None = None) -> str:
        """Somebody answers a page with an SMS, which Infobip passes on, under this id if it did so before; its id."""
        message_id = message_id or f"817790313235{next(self.deployment.numbers):06}"
        sms = {
            "messageId": message_id,
            "from": self.people[name].phone.lstrip("+"),
            "to": "447415774332",
            "text": text,
            "cleanText": text,
            "keyword": "",
            "receivedAt": "2026-05-21T12:00:00.000+0000",
            "smsCount": 1,
            "price": {"pricePerMessage": 0, "currency": "EUR"},
        }
        answer = await self.deployment.infobip.pass_on(self.deployment.url, sms)
        assert answer.status_code == 200, answer.text
        return message_id

    async def retry(self, incident_id: int) -> Json:
        """Somebody wants failed notifications tried again; what that did."""
        answer = await self.api.post(f"/api/v1/incidents/{incident_id}/notification-logs/retry")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send_test_alert(self, team: Team) -> Json:
        """The button beside an alert source: the incident."""
        answer = await self.api.post(f"/api/v1/alert-sources/{team.source_id}/test-alert")
        assert answer.status_code == 201, answer.text
        self.incidents.add(answer.json()["id"])
        return answer.json()

    # Then

    async def expect_sms(self, name: str, *, containing: str = "") -> Asked:
        """Wait for an SMS to somebody that nobody has expected yet."""
        return await self._expect("sms", name, containing)

    async def expect_call(self, name: str, *, containing: str = "") -> Asked:
        return await self._expect("call", name, containing)

    def allow_calls(self, *names: str) -> None:
        """These people may be called, or not: the story is about something else, and SMS are followed by calls."""
        self.calls_allowed |= {self.people[name].phone.lstrip("+") for name in names}

    async def expect_quiet(self) -> None:
        """Nobody was paged but those who were expected, and nothing is on its way."""
        await settled(self.deployment)
        unexpected = self._unexpected()
        assert not unexpected, f"pages that nobody expected: {unexpected}"

    async def settle(self) -> None:
        """Wait until PagerPal has done all that is to be done now."""
        await settled(self.deployment)

    async def incident(self, incident_id: int) -> Json:
        return await self.get(f"/api/v1/incidents/{incident_id}")

    async def events(self, incident_id: int) -> list[Json]:
        events: list[Json] = await self.get(f"/api/v1/incidents/{incident_id}/events")
        return events

    async def logs(self, incident_id: int) -> list[Json]:
        logs: list[Json] = await self.get(f"/api/v1/incidents/{incident_id}/notification-logs")
        return logs

    async def until(self, what: str, condition: Callable[[], Awaitable[Json]]) -> Json:
        """Wait until something that can be asked for is so; its value."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (value := await condition()):
            assert time.monotonic() < deadline, f"it never came about that {what}"
            await asyncio.sleep(LOOK_SECONDS)
        return value

    async def until_level(self, incident_id: int, level: int) -> Json:
        """Wait until an incident has entered a level."""

        async def entered() -> Json:
            incident = await self.incident(incident_id)
            return incident if incident["current_escalation_level"] == level else None

        return await self.until(f"incident {incident_id} is at level {level}", entered)

    async def incident_of(self, team: Team) -> Json:
        """Wait for the one incident of a team's source: for alerts that were accepted with 202."""

        async def there() -> Json:
            return (await self.incidents_of(team))[:1]

        (incident,) = await self.until("the alert has opened an incident", there)
        return incident

    async def incidents_of(self, team: Team) -> list[Json]:
        found: list[Json] = (await self.get(f"/api/v1/incidents?source_id={team.source_id}&page_size=200"))["items"]
        self.incidents.update(one["id"] for one in found)
        return found

    async def _expect(self, kind: Kind, name: str, containing: str) -> Asked:
        number = self.people[name].phone.lstrip("+")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for place, page in self.deployment.infobip.pages():
                fits = page.kind == kind and page.number == number and containing in page.text
                if fits and place not in self.deployment.consumed:
                    self.deployment.consumed.add(place)
                    return page
            assert time.monotonic() < deadline, f"no {kind} to {name} with {containing!r}; there came {self._story()}"
            await asyncio.sleep(LOOK_SECONDS)

    def _unexpected(self) -> list[str]:
        infobip, consumed = self.deployment.infobip, self.deployment.consumed
        return [
            self._tell(page)
            for place, page in infobip.pages()
            if place not in consumed and not (page.kind == "call" and page.number in self.calls_allowed)
        ]

    def _story(self) -> list[str]:
        return [self._tell(page) for _, page in self.deployment.infobip.pages()[-20:]]

    def _tell(self, page: Asked) -> str:
        names = {person.phone.lstrip("+"): person.name for person in self.people.values()}
        return f"{page.kind} to {names.get(page.number, page.number)}: {page.text}"

    async def _resolve_for_sure(self, incident_id: int) -> None:
        async def resolved() -> bool:
            return (await self.resolve(incident_id, by="cleaner")).status_code == 200

        await self.until(f"incident {incident_id} is resolved", resolved)

    # The API

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        answer = await self.api.post(path, json=body)
        assert answer.status_code == 201, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def get(self, path: str) -> Json:
        """Asked again while PagerPal says that it cannot just now."""

        async def answered() -> httpx.Response | None:
            answer = await self.api.get(path)
            return None if answer.status_code == 503 else answer

        answer = await self.until(f"{path} is answered", answered)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def logged_in_as(self, person: Person) -> httpx.BasicAuth:
        """For requests that somebody makes with their own account."""
        return httpx.BasicAuth(person.email, PASSWORD)

    async def finish(self) -> None:
        """Close what the story opened, and see that nobody was paged without need."""
        try:
            for team in self.teams:
                await self.incidents_of(team)
            for incident_id in self.incidents:
                await self._resolve_for_sure(incident_id)
            await settled(self.deployment)
            unexpected, violations = self._unexpected(), list(self.deployment.infobip.violations)
        finally:
            self.deployment.consumed.update(place for place, _ in self.deployment.infobip.pages())
            self.deployment.infobip.violations.clear()
        assert not unexpected, f"pages that nobody expected: {unexpected}"
        assert not violations, f"requests that Infobip would not understand: {violations}"


@asynccontextmanager
async def story(deployment: Deployment, *, ingest_url: str | None = None) -> AsyncIterator[Pagerpal]:
    """One story on a deployment, from its beginning to the check that it left nothing behind."""
    admin = httpx.BasicAuth(ADMIN_EMAIL, ADMIN_PASSWORD)
    hooks = {"response": [deployment.canaries.note]}
    async with (
        httpx.AsyncClient(base_url=deployment.url, auth=admin, timeout=15, trust_env=False, event_hooks=hooks) as api,
        httpx.AsyncClient(
            base_url=ingest_url or deployment.url, timeout=15, trust_env=False, event_hooks=hooks
        ) as ingest,
    ):
        pagerpal = Pagerpal(deployment, api, ingest)
        yield pagerpal
        await pagerpal.finish()
