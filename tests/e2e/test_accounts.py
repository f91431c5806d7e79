"""Who gets in, what they leave behind in the audit log, and what nobody finds in the other log."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment, distributed, standalone, until
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import PASSWORD, Pagerpal, story

NEW_PASSWORD = "another-long-password-of-the-admin"
COOKIE = "pagerpal_session"


TOKEN = re.compile(r"setup token[^:]*: (\S+)")


def nobody(running: Deployment) -> None:
    """Leaves the deployment without an admin, and waits until it has said what to do about that."""
    until(lambda: TOKEN.search(running.output) is not None, running.process, running.directory)


@pytest.fixture(params=["standalone", "distributed"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A PagerPal that nobody has been in yet, on an address that others reach, too."""
    exposed = {"PAGERPAL_EDGE_HOST": "pagerpal.example"}
    with fake_infobip() as infobip:
        if request.param == "standalone":
            with standalone(tmp_path, infobip, nobody, **exposed) as running:
                yield running
            return
        database, amqp_url = request.getfixturevalue("corner")
        with distributed(tmp_path, infobip, database, amqp_url, None, nobody, **exposed) as running:
            yield running


@pytest.mark.timeout(180)
async def test_from_the_first_admin_to_the_audit_log_without_a_secret_in_the_other_log(fresh: Deployment) -> None:
    (token,) = TOKEN.findall(fresh.output)
    phone, desk = browser(fresh), browser(fresh)
    async with phone, desk:
        admin = await become_first_admin(phone, token)
        await log_in(desk, ADMIN_PASSWORD)
        async with story(fresh) as pagerpal:
            key = await take_an_incident(pagerpal, phone, admin["id"])
        secrets = {token, key, phone.cookies[COOKIE], desk.cookies[COOKIE]}

        changed = await phone.post(
            "/api/v1/auth/password", json={"current_password": ADMIN_PASSWORD, "new_password": NEW_PASSWORD}
        )

        assert changed.status_code == 204
        assert (await phone.get("/api/v1/auth/sessions")).status_code == 200
        assert (await desk.get("/api/v1/auth/sessions")).status_code == 401
        wrong = await desk.post("/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
        assert wrong.status_code == 401
        await log_in(desk, NEW_PASSWORD)
        await expect_it_all_in_the_audit_log(phone, admin["id"])
        secrets |= {phone.cookies[COOKIE], desk.cookies[COOKIE], ADMIN_PASSWORD, NEW_PASSWORD, PASSWORD}
    assert not [secret for secret in secrets if secret in fresh.log]
    assert "/bootstrap/admin" in fresh.log
    assert fresh.output.count(token) == 1


def browser(deployment: Deployment) -> httpx.AsyncClient:
    """Keeps its cookie, and says where its requests come from."""
    return httpx.AsyncClient(base_url=deployment.url, headers={"Origin": deployment.url}, timeout=15, trust_env=False)


async def become_first_admin(phone: httpx.AsyncClient, token: str) -> Any:
    """Not without the token, and only once."""
    account = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "name": "Admin"}
    without = await phone.post("/bootstrap/admin", json=account)
    first = await phone.post("/bootstrap/admin", json={**account, "setup_token": token})
    second = await phone.post("/bootstrap/admin", json={**account, "email": "second@example.org", "setup_token": token})
    assert [answer.status_code for answer in (without, first, second)] == [403, 201, 409]
    return first.json()["user"]


async def log_in(client: httpx.AsyncClient, password: str) -> None:
    """With a form, as a browser does."""
    answer = await client.post("/login?next=/incidents", data={"email": ADMIN_EMAIL, "password": password})
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents")


async def take_an_incident(pagerpal: Pagerpal, phone: httpx.AsyncClient, admin_id: int) -> str:
    """Acknowledge with the cookie what somebody is paged for; the key that the alert came with."""
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    acknowledged = await phone.post(f"/api/v1/incidents/{incident['id']}/ack", json={"user_id": admin_id})

    assert acknowledged.json()["acknowledged_by"] == admin_id
    (event,) = [e for e in await pagerpal.events(incident["id"]) if e["event_type"] == "acknowledged"]
    assert (event["actor_user_id"], event["acting_as_user_id"]) == (admin_id, admin_id)
    return team.api_key


async def expect_it_all_in_the_audit_log(phone: httpx.AsyncClient, admin_id: int) -> None:
    events = (await phone.get("/api/v1/audit?limit=1000")).json()
    assert events == sorted(events, key=lambda event: -event["id"])
    told = [(event["action"], event["data"].get("by")) for event in reversed(events) if event["target_kind"] == "user"]
    assert told[:5] == [
        ("created", None),
        ("bootstrap", None),
        ("password_changed", None),
        ("login", "bootstrap"),
        ("login", "login"),
    ]
    assert told[-3:] == [("password_changed", None), ("login_failed", "login"), ("login", "login")]
    assert ("login", "basic") in told
    made = {event["target_kind"] for event in events if event["action"] == "created"}
    assert {"user", "team", "escalation_policy", "escalation_level", "assignee", "alert_source"} <= made
    assert [event["target_kind"] for event in events if event["action"] == "key_revealed"] == ["alert_source"]
    for event in events:
        assert event["actor_user_id"] in {admin_id, None}
        assert event["ip"] == "127.0.0.1"
        assert event["request_id"]
    (failed,) = [event for event in events if event["action"] == "login_failed" and event["target_id"]]
    assert (failed["actor_user_id"], failed["target_id"]) == (None, admin_id)
