"""How people can be reached: who may see and change it, what is an address, and what proves that it is theirs."""

import asyncio
from typing import Any

import httpx
import pytest
from pagerpal_common.codes import kept
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome, ContactChecked
from pagerpal_common.errors import NoReply
from pagerpal_common.http import application
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.service import build
from pagerpal_web.storage.contact_methods import MOST_METHODS

from .conftest import ACCOUNTS, PASSWORD, T0, Broker, Web, settings

NUMBER = "+491701234567"
OTHER = "+491707654321"
OWNER = "viewer"
"""The owner of the methods in these tests: the least of the roles is enough for one's own."""
METHODS = f"/api/v1/users/{ACCOUNTS[OWNER]}/contact-methods"


async def a_method(web: Web, **body: Any) -> Any:
    response = await web("POST", METHODS, {"channel": "sms", "address": NUMBER, **body}, who=OWNER)
    assert response.status_code == 201, response.text
    return response.json()


async def sent(web: Web, broker: Broker, rows: Rows, method_id: int, code: str = "012345") -> None:
    """A code that the notifier has made and the provider has taken."""
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.SENT, detail="so it said")
    response = await web("POST", f"{METHODS}/{method_id}/verify", who=OWNER)
    assert response.status_code == 200, response.text
    await deliver(broker, rows, code)


async def deliver(broker: Broker, rows: Rows, code: str) -> None:
    """What the notifier keeps of a code that it was asked to send."""
    message, _ = broker.asked[-1]
    assert isinstance(message, CheckContact)
    stored = kept(code)
    await rows(
        "INSERT INTO notification.contact_codes VALUES (:id, :salt, :hash, :at)",
        id=message.check_id,
        salt=stored.salt,
        hash=stored.code_hash,
        at=T0,
    )


async def typed(web: Web, method_id: int, code: str = "012345", *, who: str = OWNER) -> httpx.Response:
    return await web("POST", f"{METHODS}/{method_id}/verify", {"code": code}, who=who)


async def test_a_persons_own_phone_and_mail_are_contact_methods_and_follow_them(web: Web) -> None:
    assert [one["channel"] for one in (await web("GET", METHODS, who=OWNER)).json()] == ["email"]

    await web("PATCH", f"/api/v1/users/{ACCOUNTS[OWNER]}", {"phone": NUMBER})

    listed = (await web("GET", METHODS, who=OWNER)).json()
    assert [(one["id"], one["channel"], one["address"], one["is_own"]) for one in listed] == [
        (1, "sms", NUMBER, True),
        (2, "voice", NUMBER, True),
        (3, "email", "viewer@example.org", True),
    ]
    assert (await web("GET", f"{METHODS}/2", who=OWNER)).json() == listed[1]
    for method, body in (("PATCH", {"label": "x"}), ("DELETE", None)):
        assert (await web(method, f"{METHODS}/1", body, who=OWNER)).status_code == 409
    assert (await web("GET", f"{METHODS}/4", who=OWNER)).status_code == 404


async def test_a_method_is_made_listed_changed_and_removed(web: Web) -> None:
    made = await a_method(web, label="My other phone")
    assert made == {
        "id": 1001,
        "user_id": ACCOUNTS[OWNER],
        "channel": "sms",
        "address": NUMBER,
        "label": "My other phone",
        "is_verified": False,
        "last_proven_at": None,
        "ended_at": None,
        "is_own": False,
        "signing_secret": None,
    }
    path = f"{METHODS}/{made['id']}"
    shown = (await web("GET", path, who=OWNER)).json()
    assert shown == {name: value for name, value in made.items() if name != "signing_secret"}

    changed = await web("PATCH", path, {"label": None, "address": OTHER}, who=OWNER)
    assert (changed.json()["label"], changed.json()["address"]) == (None, OTHER)

    assert (await web("PATCH", path, {"channel": "voice"}, who=OWNER)).status_code == 422
    assert (await web("DELETE", path, who=OWNER)).status_code == 204
    assert (await web("GET", path, who=OWNER)).status_code == 404


async def test_lists_go_on_after_an_id(web: Web) -> None:
    for number in range(3):
        await a_method(web, address=f"+49170123456{number}")

    assert [one["id"] for one in (await web("GET", f"{METHODS}?limit=2", who=OWNER)).json()] == [3, 1001]
    assert [one["id"] for one in (await web("GET", f"{METHODS}?limit=2&after=1001", who=OWNER)).json()] == [1002, 1003]


async def test_only_the_owner_sees_a_whole_address_an_admin_a_masked_one_and_nobody_else_any(web: Web) -> None:
    method = await a_method(web)
    path = f"{METHODS}/{method['id']}"

    assert (await web("GET", path)).json()["address"] == "+49…4567"
    assert [one["address"] for one in (await web("GET", METHODS)).json()] == ["v…@example.org", "+49…4567"]
    for verb, where, body in (
        ("GET", METHODS, None),
        ("GET", path, None),
        ("POST", METHODS, {"channel": "sms", "address": OTHER}),
        ("PATCH", path, {"label": "x"}),
        ("DELETE", path, None),
        ("POST", f"{path}/verify", None),
        ("POST", f"{path}/test", None),
    ):
        response = await web(verb, where, body, who="responder")
        assert response.status_code == 403, (verb, where)
        assert NUMBER[-7:] not in response.text
    assert (await web("DELETE", path)).status_code == 204


async def test_an_admin_adds_a_method_for_somebody_and_cannot_say_that_it_is_theirs(
    web: Web, broker: Broker, rows: Rows
) -> None:
    made = await web("POST", METHODS, {"channel": "sms", "address": NUMBER})
    assert (made.status_code, made.json()["address"], made.json()["is_verified"]) == (201, "+49…4567", False)
    method_id = made.json()["id"]
    await sent(web, broker, rows, method_id)

    for path, body in (("verify", None), ("verify", {"code": "012345"}), ("test", None)):
        response = await web("POST", f"{METHODS}/{method_id}/{path}", body)
        assert (response.status_code, response.json()) == (403, {"detail": "this is for the person themselves"})
    assert (await typed(web, method_id)).json()["is_verified"]


@pytest.mark.parametrize(
    ("channel", "address", "stored"),
    [
        ("sms", "+49 170 1234567", NUMBER),
        ("voice", NUMBER, NUMBER),
        ("email", "Ana@Example.ORG", "Ana@example.org"),
        ("webhook", "https://example.org/hook?x=1", "https://example.org/hook?x=1"),
        ("slack", "http://127.0.0.1:8080/services/T0/B0/x", "http://127.0.0.1:8080/services/T0/B0/x"),
    ],
)
async def test_each_channel_has_addresses_of_its_own(web: Web, channel: str, address: str, stored: str) -> None:
    assert (await a_method(web, channel=channel, address=address))["address"] == stored


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("sms", "0170 1234567"),
        ("voice", "ana@example.org"),
        ("sms", "+4315"),
        ("email", NUMBER),
        ("email", "x" * 250 + "@example.org"),
        ("webhook", "ftp://example.org/hook"),
        ("webhook", "https:///hook"),
        ("webhook", "https://user:pw@example.org/hook"),
        ("webhook", "https://example.org/h\u00f6\u00f6k"),
        ("webhook", "https://example.org/…"),
        ("webhook", "https://example.org:99999/"),
        ("webhook", "https://[::1"),
        ("slack", "chat.internal"),
        ("slack", "javascript:alert(1)"),
        ("webhook", "https://example.org/" + "x" * 2000),
        ("pigeon", "the third roof"),
        ("sms", ""),
    ],
)
async def test_what_is_no_address_of_the_channel_is_refused_and_not_repeated(
    web: Web, channel: str, address: str
) -> None:
    response = await web("POST", METHODS, {"channel": channel, "address": address}, who=OWNER)

    assert response.status_code == 422, response.text
    assert not address or address not in response.text


async def test_the_same_address_twice_and_too_many_are_refused(web: Web) -> None:
    await a_method(web)
    twice = await web("POST", METHODS, {"channel": "sms", "address": NUMBER}, who=OWNER)
    assert (twice.status_code, "already" in twice.json()["detail"]) == (409, True)

    for number in range(MOST_METHODS - 1):
        await a_method(web, address=f"+4917012300{number:02d}")
    many = await web("POST", METHODS, {"channel": "voice", "address": NUMBER}, who=OWNER)
    assert (many.status_code, many.json()) == (409, {"detail": f"a user has at most {MOST_METHODS} contact methods"})


async def test_a_webhooks_signing_secret_is_shown_once_and_kept_for_the_notifier(web: Web, rows: Rows) -> None:
    made = await a_method(web, channel="webhook", address="https://example.org/hook")

    (row,) = await rows("SELECT signing_secret FROM directory.contact_methods")
    assert made["signing_secret"] == row["signing_secret"]
    assert len(made["signing_secret"]) > 40
    for path in (METHODS, f"{METHODS}/{made['id']}"):
        assert made["signing_secret"] not in (await web("GET", path, who=OWNER)).text
    assert made["signing_secret"] not in str(await web.audit())


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.7]/hook",
        "https://2130706433/hook",
        "https://0x7f.1/hook",
        "http://93.184.216.34/hook",
    ],
)
async def test_in_production_a_webhook_leads_into_the_public_internet_by_https(
    url: str, web: Web, database_url: str, broker: Broker, clock: Clock
) -> None:
    public = {"PAGERPAL_ENV": "production", "PAGERPAL_PUBLIC_URL": "https://pagerpal.example.org"}
    service = build(settings(database_url, **public), broker, clock)  # type: ignore[arg-type]
    app = application([service], broker)  # type: ignore[arg-type]
    transport, auth = httpx.ASGITransport(app), (f"{OWNER}@example.org", PASSWORD)
    async with httpx.AsyncClient(transport=transport, base_url="https://pagerpal.example.org", auth=auth) as client:
        refused = await client.post(METHODS, json={"channel": "webhook", "address": url})
        good = await client.post(METHODS, json={"channel": "webhook", "address": "https://93.184.216.34/hook"})
        path = f"{METHODS}/{good.json()['id']}"
        changed = await client.patch(path, json={"address": url})
    await service.close()

    assert (refused.status_code, good.status_code, changed.status_code) == (400, 201, 400), refused.text
    assert refused.json()["detail"].startswith("the URL ")


BOT = "tgram://123456789:canary-canary-canary-canary-canary-c/-1001234567"
NTFY = "ntfys://ntfy.example.org/canary"


async def test_no_messenger_is_taken_unless_whoever_runs_pagerpal_has_switched_it_on(web: Web) -> None:
    response = await web("POST", METHODS, {"channel": "apprise", "address": BOT}, who=OWNER)

    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert (problem["loc"], "no messenger is switched on here" in problem["msg"]) == (["body", "address"], True)
    assert "canary" not in response.text


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("discord://123456789012345678/canary-canary-canary-canary", "Discord is not switched on here"),
        ("ntfys://canary.example.net/topic", "PAGERPAL_LONG_TAIL_HOSTS"),
        ("ntfy://ntfy.example.org/canary", "ntfys://…"),
        (f"{BOT}?verify=no", "no plain Apprise URL"),
        ("json://127.0.0.1/canary", "no plain Apprise URL"),
        ("canary", "tgram://bot-token/chat-id"),
        ("ntfy://canary\u00e9", "tgram://bot-token/chat-id"),
    ],
)
async def test_a_messenger_leads_to_what_is_switched_on_and_nowhere_else(
    web: Web, database_url: str, broker: Broker, clock: Clock, rows: Rows, address: str, why: str
) -> None:
    public = {"PAGERPAL_ENV": "production", "PAGERPAL_PUBLIC_URL": "https://pagerpal.example.org"}
    on = {"PAGERPAL_LONG_TAIL": "telegram,ntfy", "PAGERPAL_LONG_TAIL_HOSTS": "ntfy.example.org"}
    service = build(settings(database_url, **public, **on), broker, clock)  # type: ignore[arg-type]
    app = application([service], broker)  # type: ignore[arg-type]
    transport, auth = httpx.ASGITransport(app), (f"{OWNER}@example.org", PASSWORD)
    async with httpx.AsyncClient(transport=transport, base_url="https://pagerpal.example.org", auth=auth) as client:
        good = await client.post(METHODS, json={"channel": "apprise", "address": BOT})
        refused = await client.post(METHODS, json={"channel": "apprise", "address": address})
        changed = await client.patch(f"{METHODS}/{good.json()['id']}", json={"address": address})
        other = await client.patch(f"{METHODS}/{good.json()['id']}", json={"address": NTFY})
    await service.close()

    assert (good.status_code, good.json()["address"]) == (201, BOT)
    assert (other.status_code, other.json()["address"]) == (200, NTFY)
    for response in (refused, changed):
        assert (response.status_code, why in response.json()["detail"][0]["msg"]) == (422, True), response.text
        assert "canary" not in response.text


async def test_a_messengers_address_is_shown_to_its_owner_and_to_nobody_else(web: Web, rows: Rows) -> None:
    await rows(
        "INSERT INTO directory.contact_methods (user_id, channel, address, created_at)"
        " VALUES (:user, 'apprise', :address, :at)",
        user=ACCOUNTS[OWNER],
        address=BOT,
        at=T0,
    )

    assert [one["address"] for one in (await web("GET", METHODS, who=OWNER)).json()][-1] == BOT
    assert [one["address"] for one in (await web("GET", METHODS)).json()][-1] == "tgram://…"
    await web("DELETE", f"{METHODS}/1001")
    audit = str(await web.audit())
    assert "tgram://…" in audit
    assert "canary" not in audit


async def test_a_code_is_asked_of_the_notifier_without_a_word_of_where_and_what(
    web: Web, broker: Broker, rows: Rows
) -> None:
    method = await a_method(web)
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.SENT, detail="so it said")

    response = await web("POST", f"{METHODS}/{method['id']}/verify", who=OWNER)

    assert (response.status_code, response.json()["is_verified"]) == (200, False)
    ((message, _),) = broker.asked
    assert isinstance(message, CheckContact)
    assert set(message.model_dump()) == {"message_id", "occurred_at", "request_id", "traceparent", "check_id"}
    (check,) = await rows("SELECT * FROM directory.contact_checks")
    assert (check["id"], check["kind"], check["channel"], check["address"]) == (message.check_id, "code", "sms", NUMBER)


async def test_the_code_that_came_proves_the_method_once(web: Web, broker: Broker, rows: Rows, clock: Clock) -> None:
    method = await a_method(web)
    await sent(web, broker, rows, method["id"])
    clock.advance(minutes=5)

    proven = await typed(web, method["id"])

    assert proven.status_code == 200
    assert (proven.json()["is_verified"], proven.json()["last_proven_at"]) == (True, "2026-05-21T12:05:00Z")
    assert (await web("GET", f"{METHODS}/{method['id']}", who=OWNER)).json() == proven.json()
    again = await typed(web, method["id"])
    assert (again.status_code, "no code holds" in again.json()["detail"]) == (400, True)
    event = (await web.audit("&target_kind=contact_method"))[0]
    assert (event["action"], event["after"]["is_verified"], event["actor_user_id"]) == (
        "changed",
        True,
        ACCOUNTS[OWNER],
    )
    assert "012345" not in str(await web.audit())


async def test_ones_own_mail_is_verified_the_same_way_until_it_changes(web: Web, broker: Broker, rows: Rows) -> None:
    await sent(web, broker, rows, 3)

    assert (await typed(web, 3)).json()["is_verified"]

    await web("PATCH", f"/api/v1/users/{ACCOUNTS[OWNER]}", {"timezone": "Europe/Berlin"})
    (mail,) = (await web("GET", METHODS, who=OWNER)).json()
    assert mail["is_verified"]
    await rows("UPDATE directory.users SET email = 'new@example.org' WHERE id = :id", id=ACCOUNTS[OWNER])
    (mail,) = (await web("GET", METHODS, who="admin")).json()
    assert (mail["is_verified"], mail["last_proven_at"]) == (False, None)


async def test_another_address_is_not_verified_and_takes_no_code_of_the_one_before(
    web: Web, broker: Broker, rows: Rows
) -> None:
    method = await a_method(web)
    path = f"{METHODS}/{method['id']}"
    await sent(web, broker, rows, method["id"])
    await web("PATCH", path, {"address": OTHER}, who=OWNER)
    assert (await typed(web, method["id"])).status_code == 400

    await web("PATCH", path, {"address": NUMBER}, who=OWNER)
    assert (await typed(web, method["id"])).json()["is_verified"]
    changed = await web("PATCH", path, {"address": OTHER}, who=OWNER)
    assert (changed.json()["is_verified"], changed.json()["last_proven_at"]) == (False, None)


async def test_five_codes_may_be_typed_in_also_when_they_come_all_at_once(web: Web, broker: Broker, rows: Rows) -> None:
    method = await a_method(web)
    await sent(web, broker, rows, method["id"])

    answers = await asyncio.gather(*(typed(web, method["id"], f"99999{number}") for number in range(8)))

    assert sorted(answer.status_code for answer in answers) == [400] * 5 + [429] * 3
    late = await typed(web, method["id"])
    assert (late.status_code, late.headers["retry-after"]) == (429, "600")
    assert "too many wrong codes" in late.json()["detail"]
    await sent(web, broker, rows, method["id"], "654321")
    assert (await typed(web, method["id"], "012345")).status_code == 400, "the code before it holds no longer"
    assert (await typed(web, method["id"], "654321")).status_code == 200


async def test_the_fifth_try_may_be_right(web: Web, broker: Broker, rows: Rows) -> None:
    method = await a_method(web)
    await sent(web, broker, rows, method["id"])
    for number in range(4):
        assert (await typed(web, method["id"], f"99999{number}")).status_code == 400

    assert (await typed(web, method["id"])).status_code == 200


async def test_a_code_holds_for_ten_minutes(web: Web, broker: Broker, rows: Rows, clock: Clock) -> None:
    method = await a_method(web)
    await sent(web, broker, rows, method["id"])
    clock.advance(minutes=10)

    assert (await typed(web, method["id"])).status_code == 400


@pytest.mark.parametrize("body", [{"code": "12345"}, {"code": "abcdef"}, {"code": 123456}, {"cod": "123456"}, ["x"]])
async def test_what_is_no_code_is_refused_and_sends_nothing(web: Web, broker: Broker, body: Any) -> None:
    response = await web("POST", f"{METHODS}/{(await a_method(web))['id']}/verify", body, who=OWNER)

    assert response.status_code == 422
    assert not broker.asked


@pytest.mark.parametrize("kind", ["verify", "test"])
async def test_three_are_sent_within_ten_minutes_and_the_next_when_the_first_is_over(
    web: Web, broker: Broker, clock: Clock, kind: str
) -> None:
    path = f"{METHODS}/{(await a_method(web))['id']}/{kind}"
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.SENT, detail="so it said")
    for _ in range(3):
        assert (await web("POST", path, who=OWNER)).status_code == 200
        clock.advance(minutes=1)

    refused = await web("POST", path, who=OWNER)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "420")
    assert refused.json() == {"detail": "enough has been sent to check this: try again in 420 s"}
    assert len(broker.asked) == 3
    clock.advance(minutes=7)
    assert (await web("POST", path, who=OWNER)).status_code == 200


async def test_asking_all_at_once_sends_no_more(web: Web, broker: Broker) -> None:
    path = f"{METHODS}/{(await a_method(web))['id']}/test"
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.SENT, detail="so it said")

    answers = await asyncio.gather(*(web("POST", path, who=OWNER) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 3
    assert len(broker.asked) == 3


@pytest.mark.parametrize("kind", ["verify", "test"])
async def test_a_refusal_is_409_with_its_reason_and_trouble_is_503(web: Web, broker: Broker, kind: str) -> None:
    path = f"{METHODS}/{(await a_method(web))['id']}/{kind}"
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.REFUSED, detail="no provider for sms")
    refused = await web("POST", path, who=OWNER)
    assert (refused.status_code, refused.json()) == (409, {"detail": "this cannot be sent: no provider for sms"})

    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.UNCERTAIN, detail="no answer in time")
    uncertain = await web("POST", path, who=OWNER)
    broker.answer = NoReply("nobody answers")
    nobody = await web("POST", path, who=OWNER)
    for answer in (uncertain, nobody):
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_a_test_page_proves_nothing(web: Web, broker: Broker, rows: Rows) -> None:
    method = await a_method(web)
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.SENT, detail="so it said")

    answer = await web("POST", f"{METHODS}/{method['id']}/test", who=OWNER)

    assert (answer.status_code, answer.json()["is_verified"], answer.json()["last_proven_at"]) == (200, False, None)
    assert [row["kind"] for row in await rows("SELECT kind FROM directory.contact_checks")] == ["test"]
