"""Who decides how they are paged? They themselves: a phone of their own choice, proven, and a rule that names it."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pagerpal_common.testing.browser import FakeBrowser

from tests.e2e.pagerpal import PASSWORD, Pagerpal, Person, minutes


@asynccontextmanager
async def logged_in(pagerpal: Pagerpal, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """The person at their own keyboard, at their own corner of the API."""
    url = f"{pagerpal.deployment.url}/api/v1/users/{person.user_id}/"
    hooks: Any = {"response": [pagerpal.deployment.canaries.note]}
    auth = (person.email, PASSWORD)
    async with httpx.AsyncClient(base_url=url, auth=auth, timeout=15, trust_env=False, event_hooks=hooks) as client:
        yield client


def a_second_phone(pagerpal: Pagerpal, person: Person) -> Person:
    """A number that only this person knows; the fake provider rings it under a name of its own."""
    number = f"+49152{10000000 + next(pagerpal.deployment.numbers)}"
    pagerpal.deployment.canaries.plant("phone number", number)
    name = f"{person.name}'s second phone"
    pagerpal.people[name] = Person(person.user_id, name, person.email, number)
    return pagerpal.people[name]


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def verified(pagerpal: Pagerpal, client: httpx.AsyncClient, method_id: int, phone: Person) -> None:
    """They have a code sent, read it from their phone, and type it in."""
    asked = await client.post(f"contact-methods/{method_id}/verify")
    assert asked.status_code == 200, asked.text
    sms = await pagerpal.expect_sms(phone.name, containing="is your PagerPal code")
    code = re.match(r"\d{6}", sms.text)
    assert code is not None
    proven = await client.post(f"contact-methods/{method_id}/verify", json={"code": code[0]})
    assert proven.status_code == 200, proven.text
    assert proven.json()["is_verified"]


async def test_a_page_arrives_at_the_phone_that_somebody_has_added_and_proven(pagerpal: Pagerpal) -> None:
    ana = await pagerpal.given_person("ana", can_log_in=True)
    team = await pagerpal.given_team(levels=["ana"], timeout=minutes(30))
    second = a_second_phone(pagerpal, ana)
    async with logged_in(pagerpal, ana) as hers:
        method = await made(hers, "contact-methods", channel="sms", address=second.phone, label="at night")
        refused = await hers.post(
            "notification-rules", json={"severity": "critical", "contact_method_id": method["id"], "delay_seconds": 0}
        )
        assert refused.status_code == 400, "not before it is proven"
        await verified(pagerpal, hers, method["id"], second)
        await made(hers, "notification-rules", severity="critical", contact_method_id=method["id"], delay_seconds=0)

    incident = await pagerpal.open_incident(team, title="Disk full on db-7", severity="critical")

    page = await pagerpal.expect_sms(second.name, containing="Disk full on db-7")
    await pagerpal.expect_quiet()
    (log,) = await pagerpal.logs(incident["id"])
    assert (log["channel"], log["provider_message_id"], log["status"]) == ("sms", page.message_id, "sent")
    assert second.phone not in str(log)


async def test_what_no_rule_is_for_still_rings_the_phone(pagerpal: Pagerpal) -> None:
    ana = await pagerpal.given_person("ana", can_log_in=True)
    team = await pagerpal.given_team(levels=["ana"], timeout=minutes(30))
    async with logged_in(pagerpal, ana) as hers:
        await made(hers, "notification-rules", severity="critical", channel="voice", delay_seconds=0)

    await pagerpal.open_incident(team, title="Disk filling", severity="warning")

    await pagerpal.expect_sms("ana", containing="Disk filling")
    pagerpal.allow_calls("ana")
    await pagerpal.expect_quiet()


async def test_a_test_page_rings_the_phone_and_says_that_it_is_one(pagerpal: Pagerpal) -> None:
    ana = await pagerpal.given_person("ana", can_log_in=True)
    async with logged_in(pagerpal, ana) as hers:
        answer = await hers.post("contact-methods/1/test")
        assert answer.status_code == 200, answer.text

    await pagerpal.expect_sms("ana", containing="This is a test page from PagerPal")
    await pagerpal.expect_quiet()


async def test_an_address_and_a_secret_of_a_webhook_come_out_nowhere(pagerpal: Pagerpal) -> None:
    ana = await pagerpal.given_person("ana", can_log_in=True)
    address = f"https://hooks.example.org/{next(pagerpal.deployment.numbers)}/of-ana-alone"
    pagerpal.deployment.canaries.plant("webhook's address", address)
    async with logged_in(pagerpal, ana) as hers:
        method = await made(hers, "contact-methods", channel="webhook", address=address)
        pagerpal.deployment.canaries.plant("webhook's secret", method["signing_secret"])
        wrong = await hers.patch(f"contact-methods/{method['id']}", json={"address": f"{address} and more"})
        twice = await hers.post("contact-methods", json={"channel": "webhook", "address": address})
        gone = await hers.delete(f"contact-methods/{method['id']}")

    assert (wrong.status_code, twice.status_code, gone.status_code) == (422, 409, 204)


async def test_a_browsers_subscription_comes_out_nowhere(pagerpal: Pagerpal) -> None:
    ana = await pagerpal.given_person("ana", can_log_in=True)
    secret = f"of-anas-browser-{next(pagerpal.deployment.numbers)}"
    browser = FakeBrowser(f"https://updates.push.services.mozilla.com/wpush/v2/{secret}")
    subscription = browser.subscription()
    pagerpal.deployment.canaries.plant("subscription's address", secret)
    for kind, key in json.loads(subscription)["keys"].items():
        pagerpal.deployment.canaries.plant(f"subscription's {kind}", key)
    async with logged_in(pagerpal, ana) as hers:

        async def is_taken() -> Any:
            """A notifier tells soon after its start that it sends to browsers."""
            answer = await hers.post("contact-methods", json={"channel": "web_push", "address": subscription})
            return answer.json() if answer.status_code == 201 else None

        method = await pagerpal.until("browsers are taken", is_taken)
        elsewhere = subscription.replace("updates.push.services.mozilla.com", "push.example.org")
        wrong = await hers.patch(f"contact-methods/{method['id']}", json={"address": elsewhere})
        twice = await hers.post("contact-methods", json={"channel": "web_push", "address": subscription})
        shown = await hers.get(f"contact-methods/{method['id']}")
        gone = await hers.delete(f"contact-methods/{method['id']}")

    assert (wrong.status_code, twice.status_code, gone.status_code) == (422, 409, 204)
    assert secret not in shown.text
