"""What does a monitoring system see of us in a disaster, and what became of all that it was told was safe?"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import httpx
from pagerpal_common.ids import keyed_uuid

from tests.deploy.installation import Installation
from tests.e2e.settled import connect

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.1
REQUEST_SECONDS = 15.0

_BY_ALERT = "SELECT alert_id, external_id, incident_id FROM incidents.alerts WHERE alert_id = ANY($1)"
_BY_INCIDENT = "SELECT external_id, count(*) AS number FROM incidents.incidents GROUP BY external_id"
_MESSAGES = """
SELECT DISTINCT i.external_id, CAST(n.provider_message_id AS text) AS message_id
FROM incidents.incidents i JOIN notification.notifications n ON n.incident_id = i.id
WHERE n.status IN ('sent', 'delivered')
"""


@dataclass(frozen=True)
class Source:
    """An alert source, whose team is one person with a telephone."""

    source_id: int
    key: str


@dataclass
class Administration:
    """Whoever sets everything up, and looks at what PagerPal says of itself."""

    here: Installation
    client: httpx.Client
    auth: tuple[str, str]

    def post(self, path: str, **body: object) -> dict[str, object]:
        answer = self.client.post(f"/api/v1{path}", json=body, auth=self.auth)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def get(self, path: str) -> dict[str, object]:
        return dict(self.client.get(f"/api/v1{path}", auth=self.auth).raise_for_status().json())

    def person(self, number: int) -> Source:
        """Somebody who is paged for one source alone."""
        phone, email = f"+49301234{number:03}", f"p{number}@example.org"
        user = self.post("/users", name=f"P{number}", email=email, role="responder", phone=phone)
        team = self.post("/teams", name=f"Team {number}")["id"]
        self.post(f"/teams/{team}/members", user_id=user["id"])
        source = self.post("/alert-sources", team_id=team, name="Monitoring", source_type="generic")
        return Source(int(str(source["id"])), str(source["api_key"]))

    def session(self) -> str:
        """A browser's cookies, logged in now."""
        email, password = self.auth
        with httpx.Client(base_url=self.here.url, timeout=REQUEST_SECONDS, trust_env=False) as browser:
            browser.post("/login", json={"email": email, "password": password}).raise_for_status()
            return cookies(browser)

    def status_with(self, session: str) -> int:
        """How a browser with these cookies is answered."""
        headers = {"Cookie": session}
        with httpx.Client(base_url=self.here.url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False) as browser:
            return browser.get("/api/v1/teams").status_code

    def red_jobs(self) -> dict[str, str]:
        """The jobs that are red, with what they say."""
        jobs = self.get("/system/jobs")["jobs"]
        assert isinstance(jobs, list)
        return {job["name"]: job["reason"] for job in jobs if not job["healthy"]}

    def unreached(self) -> dict[str, object]:
        """The alerts of which nobody has heard, by the ledger's own account: what is pending, and why others failed."""
        accounts = self.get("/audit/pages")
        return {name: accounts[name] for name in ("pending", "failed_by_reason") if accounts[name]}

    def until_healthy(self) -> None:
        until(lambda: not self.red_jobs(), "every job is healthy", self.red_jobs)


@contextmanager
def administration(here: Installation, password: str, setup_token: str) -> Iterator[Administration]:
    """The first admin, and their connection."""
    with httpx.Client(base_url=here.url, timeout=REQUEST_SECONDS, trust_env=False) as client:
        email = "admin@example.org"
        body = {"email": email, "password": password, "name": "Admin", "setup_token": setup_token}
        made = client.post("/bootstrap/admin", json=body).raise_for_status().json()
        client.cookies.clear()
        phone = {"phone": "+49301239999"}  # for what the auditor has to say: disasters are breaches
        client.patch(f"/api/v1/users/{made['user']['id']}", json=phone, auth=(email, password)).raise_for_status()
        yield Administration(here, client, (email, password))


@dataclass
class Monitoring:
    """Posts alerts one after the other, each an incident of its own, and keeps at each until it is taken."""

    here: Installation
    sources: list[Source]
    prefix: str
    """Of the names of what is down: each story has its own."""
    pause: float
    repeat: str = ""
    """Says the same again, in alerts that are new ones."""
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: dict[str, UUID] = field(default_factory=dict)
    """What was answered 2xx, by what is down."""
    _enough: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator["Monitoring"]:
        """Alerts keep coming until the context ends, and the last is taken."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._enough.set()
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), f"an alert is never taken: {self.statuses}"

    def until_accepted(self, more: int) -> None:
        """Wait until so many more alerts are accepted."""
        wanted = len(self.accepted) + more
        until(lambda: len(self.accepted) >= wanted, f"{more} more alerts are accepted", lambda: self.statuses)

    def until_answered(self, status: int, more: int) -> None:
        wanted = self.statuses[status] + more
        until(lambda: self.statuses[status] >= wanted, f"{more} more answers {status}", lambda: self.statuses)

    def _run(self) -> None:
        number = 0
        with httpx.Client(base_url=self.here.url, timeout=REQUEST_SECONDS, trust_env=False) as client:
            while not self._enough.wait(self.pause):
                self._post(client, f"{self.prefix}-{number}", self.sources[number % len(self.sources)])
                number += 1

    def _post(self, client: httpx.Client, name: str, source: Source) -> None:
        body = {"title": f"{name} is down", "severity": "critical", "external_id": name}
        key = f"{name}{self.repeat}"
        headers = {"X-API-Key": source.key, "Idempotency-Key": key}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = client.post("/api/v1/alerts", json=body, headers=headers)
            except httpx.TransportError:
                self.statuses[0] += 1
                continue
            self.statuses[answer.status_code] += 1
            if answer.is_success:
                self.accepted[name] = keyed_uuid("idempotency", source.source_id, key)
                return
            time.sleep(self.pause)

    def check_all_were_paged(self) -> None:
        """Each accepted alert is in the ledger once, in one incident of its own, of which a phone has heard."""
        assert self.accepted
        until(lambda: not self.unpaged(), "everything accepted is paged", self.unpaged)
        asyncio.run(self._check())

    def unpaged(self) -> list[str]:
        """What is down, and nobody has heard of it."""
        return asyncio.run(self._unpaged())

    async def _unpaged(self) -> list[str]:
        heard = {asked.message_id for _, asked in self.here.infobip.pages()}
        connection = await connect(self.here.database_url)
        try:
            rows = await connection.fetch(_MESSAGES)
        finally:
            await connection.close()
        told = {row["external_id"] for row in rows if row["message_id"] in heard}
        return sorted(set(self.accepted) - told)

    async def _check(self) -> None:
        connection: asyncpg.Connection = await connect(self.here.database_url)
        try:
            ledger = await connection.fetch(_BY_ALERT, list(self.accepted.values()))
            incidents = await connection.fetch(_BY_INCIDENT)
        finally:
            await connection.close()
        assert {row["external_id"]: row["alert_id"] for row in ledger} == self.accepted
        assert None not in {row["incident_id"] for row in ledger}
        numbers = {row["external_id"]: row["number"] for row in incidents}
        assert {name: numbers[name] for name in self.accepted} == dict.fromkeys(self.accepted, 1)


def until(condition: Callable[[], object], what: str, said: Callable[[], object]) -> None:
    """Wait for something, but not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"it never came about that {what}: {said()}"
        time.sleep(LOOK_SECONDS)


def cookies(browser: httpx.Client) -> str:
    """What a browser sends to an edge that speaks TLS: here nobody does, and the cookies are for TLS alone."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
