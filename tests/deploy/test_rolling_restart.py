"""Does a roll-out hurt anybody? Each service is replaced under load: all is answered, and every page comes in time.

A replica more, waited for; the edge told; SIGTERM for the old one: what a cluster does with the manifests.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.deploy.conftest import Demo
from tests.deploy.installation import SERVICES, Installation
from tests.deploy.test_manifests import longest_stop

PEOPLE = 40
ALERT_PAUSE, READ_PAUSE, PAGE_PAUSE = 0.04, 0.05, 0.6

LATE_SECONDS = 5.0
"""From the alert to the provider. Usual are 0.3 s; what is lost without a sound comes with a sweep, 2 s later."""


@dataclass
class Load:
    """What was asked of PagerPal while it was replaced, and what it said."""

    client: httpx.Client
    admin: tuple[str, str]
    noise_key: str
    pager_keys: list[tuple[str, str]]
    statuses: Counter[str] = field(default_factory=Counter)
    sent: dict[str, float] = field(default_factory=dict)
    """When each person's alert was accepted, by their number."""
    done: threading.Event = field(default_factory=threading.Event)

    def alerts(self) -> None:
        while not self.done.wait(ALERT_PAUSE):
            body = {"title": "Noise", "severity": "info", "external_id": "noise"}
            self.ask("POST", "/api/v1/alerts", json=body, headers={"X-API-Key": self.noise_key})

    def reads(self) -> None:
        while not self.done.wait(READ_PAUSE):
            self.ask("GET", "/api/v1/teams", auth=self.admin)

    def pages(self) -> None:
        for number, key in self.pager_keys:
            if self.done.wait(PAGE_PAUSE):
                return
            body = {"title": f"Down {number}", "severity": "critical"}
            if self.ask("POST", "/api/v1/alerts", json=body, headers={"X-API-Key": key}):
                self.sent[number] = time.monotonic()

    def ask(self, method: str, path: str, **more: object) -> bool:
        try:
            answer = self.client.request(method, path, **more)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            self.statuses[f"{method} {path} {type(error).__name__}"] += 1
            return False
        self.statuses[f"{method} {path} {answer.status_code}"] += 1
        return answer.is_success

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=work) for work in (self.alerts, self.alerts, self.reads, self.pages)]
        for thread in threads:
            thread.start()
        try:
            yield
            threads[-1].join(120)
        finally:
            self.done.set()
            for thread in threads:
                thread.join(30)


@pytest.fixture(scope="module")
def load(here: Installation, demo: Demo) -> Iterator[Load]:
    """Forty teams of one person each, who have a telephone, and a source of noise that pages nobody."""
    with httpx.Client(base_url=here.url, timeout=30, trust_env=False) as client:

        def post(path: str, **body: object) -> dict[str, str]:
            answer = client.post(f"/api/v1{path}", json=body, auth=demo.admin)
            assert answer.is_success, answer.text
            return dict(answer.json())

        def source(team: str) -> str:
            return post("/alert-sources", team_id=team, name="Monitoring", source_type="generic")["api_key"]

        keys = []
        for place in range(PEOPLE):
            number = f"+49301234{place:03}"
            user = post("/users", name=f"P{place}", email=f"p{place}@example.org", role="responder", phone=number)
            team = post("/teams", name=f"Team {place}")["id"]
            post(f"/teams/{team}/members", user_id=user["id"])
            keys.append((number, source(team)))
        yield Load(client, demo.admin, source(post("/teams", name="Nobody's")["id"]), keys)


@pytest.mark.timeout(300)
def test_a_migration_and_the_replacement_of_every_service_under_load_are_not_noticed(
    here: Installation, load: Load
) -> None:
    with load.running():
        here.migrate()  # as an upgrade does: first, and while the old processes work
        took = {service: here.replace(service) for service in SERVICES}

    failed = {what: count for what, count in load.statuses.items() if what.split()[-1] not in {"200", "201"}}
    assert failed == {}, load.statuses
    assert sum(load.statuses.values()) > 500
    assert len(load.sent) == PEOPLE
    late = wait_for_pages(here, load)
    assert max(late.values()) < LATE_SECONDS, late
    assert max(took.values()) < longest_stop()
    print(f"\nseconds from SIGTERM to the end: {took}; a page after at most {max(late.values()):.2f} s")


def wait_for_pages(here: Installation, load: Load) -> dict[str, float]:
    """How long after the alert each person was paged, in seconds."""
    deadline = time.monotonic() + 6 * LATE_SECONDS
    while True:
        first: dict[str, float] = {}
        for _, asked in here.infobip.pages():
            first.setdefault("+" + asked.number.lstrip("+"), asked.at)
        missing = set(load.sent) - set(first)
        if not missing:
            return {number: first[number] - at for number, at in load.sent.items()}
        assert time.monotonic() < deadline, f"not paged: {missing}"
        time.sleep(0.1)
