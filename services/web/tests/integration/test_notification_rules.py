"""How people want to be paged: whose rules may be changed by whom, and which ways they may name."""

from typing import Any

import httpx
import pytest
from pagerpal_common.testing.rows import Rows
from pagerpal_web.storage.notification_rules import MOST_RULES

from .conftest import ACCOUNTS, T0, Web

OWNER = "viewer"
USER = f"/api/v1/users/{ACCOUNTS[OWNER]}"
RULES = f"{USER}/notification-rules"


async def a_method(web: Web, rows: Rows, *, is_verified: bool = True, address: str = "+491701234567") -> int:
    body = {"channel": "sms", "address": address}
    method_id: int = (await web("POST", f"{USER}/contact-methods", body, who=OWNER)).json()["id"]
    if is_verified:
        await rows(
            "INSERT INTO directory.contact_proofs VALUES (:user_id, :method_id, :address, :at)",
            user_id=ACCOUNTS[OWNER],
            method_id=method_id,
            address=address,
            at=T0,
        )
    return method_id


async def post(web: Web, *, who: str = OWNER, **body: Any) -> httpx.Response:
    return await web("POST", RULES, {"severity": "any", "delay_seconds": 0, **body}, who=who)


async def test_a_rule_is_made_listed_changed_and_removed(web: Web, rows: Rows) -> None:
    method_id = await a_method(web, rows)

    made = await post(web, severity="critical", contact_method_id=method_id, delay_seconds=30)

    assert made.status_code == 201, made.text
    expected = {
        "id": 1,
        "user_id": ACCOUNTS[OWNER],
        "severity": "critical",
        "contact_method_id": method_id,
        "channel": None,
        "delay_seconds": 30,
    }
    assert made.json() == expected
    assert (await web("GET", RULES, who=OWNER)).json() == [expected]
    assert (await web("GET", f"{RULES}/1", who=OWNER)).json() == expected
    changed = await web("PATCH", f"{RULES}/1", {"channel": "voice", "severity": "any"}, who=OWNER)
    assert changed.json() == {**expected, "contact_method_id": None, "channel": "voice", "severity": "any"}
    back = await web("PATCH", f"{RULES}/1", {"contact_method_id": method_id}, who=OWNER)
    assert (back.json()["contact_method_id"], back.json()["channel"]) == (method_id, None)
    assert [event["action"] for event in await web.audit("&target_kind=notification_rule")] == [
        "changed",
        "changed",
        "created",
    ]
    assert (await web("DELETE", f"{RULES}/1", who=OWNER)).status_code == 204
    assert (await web("GET", f"{RULES}/1", who=OWNER)).status_code == 404


async def test_they_are_their_owners_and_the_admins_and_nobody_elses(web: Web) -> None:
    assert (await post(web, channel="email", who="admin")).status_code == 201

    for verb, path, body in (
        ("GET", RULES, None),
        ("GET", f"{RULES}/1", None),
        ("POST", RULES, {"severity": "any", "channel": "email", "delay_seconds": 0}),
        ("PATCH", f"{RULES}/1", {"delay_seconds": 1}),
        ("DELETE", f"{RULES}/1", None),
    ):
        assert (await web(verb, path, body, who="responder")).status_code == 403, verb
    other = f"/api/v1/users/{ACCOUNTS['responder']}/notification-rules/1"
    assert (await web("DELETE", other, who="responder")).status_code == 404, "it is under another person"
    assert (await web("DELETE", f"{RULES}/1")).status_code == 204


async def test_ones_own_phone_may_be_named_by_its_number_and_needs_no_proof(web: Web) -> None:
    await web("PATCH", USER, {"phone": "+491701234567"})

    made = await post(web, contact_method_id=2)

    assert (made.status_code, made.json()["contact_method_id"], made.json()["channel"]) == (201, None, "voice")


async def test_a_rule_leads_only_where_its_owner_has_proven_to_be(web: Web, rows: Rows) -> None:
    unverified = await a_method(web, rows, is_verified=False)
    response = await web("POST", "/api/v1/users/2/contact-methods", {"channel": "sms", "address": "+491701234567"})
    anothers = response.json()["id"]

    refused = await post(web, contact_method_id=unverified)
    assert (refused.status_code, refused.json()) == (400, {"detail": f"contact method {unverified} is not verified"})
    for stranger in (anothers, 4, 999_999):
        refused = await post(web, contact_method_id=stranger)
        assert (refused.status_code, "has no contact method" in refused.json()["detail"]) == (400, True)
    assert (await post(web, channel="email")).status_code == 201
    moved = await web("PATCH", f"{RULES}/1", {"contact_method_id": unverified}, who=OWNER)
    assert moved.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channel": "sms", "contact_method_id": 1},
        {"channel": "webhook"},
        {"channel": "slack"},
        {"channel": "sms", "severity": "bad"},
        {"channel": "sms", "delay_seconds": -1},
        {"channel": "sms", "delay_seconds": 86_401},
        {"channel": "sms", "delay_seconds": 0.5},
        {"channel": "sms", "delay_seconds": None},
    ],
)
async def test_what_is_no_rule_is_refused(web: Web, body: dict[str, Any]) -> None:
    assert (await post(web, **body)).status_code == 422


@pytest.mark.parametrize("body", [{"channel": None}, {"channel": "sms", "contact_method_id": 1001}])
async def test_a_change_leaves_a_rule_with_one_way(web: Web, body: dict[str, Any]) -> None:
    await post(web, channel="email")

    assert (await web("PATCH", f"{RULES}/1", body, who=OWNER)).status_code == 422


async def test_nobody_has_more_rules_than_can_be_overseen(web: Web) -> None:
    for seconds in range(MOST_RULES):
        assert (await post(web, channel="email", delay_seconds=seconds)).status_code == 201

    refused = await post(web, channel="email")

    assert (refused.status_code, refused.json()) == (409, {"detail": "a user has at most 20 notification rules"})


async def test_a_method_that_a_rule_uses_stays_and_the_refusal_names_the_rule(web: Web, rows: Rows) -> None:
    method_id = await a_method(web, rows)
    await post(web, contact_method_id=method_id)
    path = f"{USER}/contact-methods/{method_id}"

    refused = await web("DELETE", path, who=OWNER)

    expected = {"detail": f"contact method {method_id} is still used by notification rule 1"}
    assert (refused.status_code, refused.json()) == (409, expected)
    assert (await web("GET", path, who=OWNER)).json()["is_verified"], "and is as good as before"
    await web("DELETE", f"{RULES}/1", who=OWNER)
    assert (await web("DELETE", path, who=OWNER)).status_code == 204
    assert await rows("SELECT * FROM directory.contact_proofs") == []
