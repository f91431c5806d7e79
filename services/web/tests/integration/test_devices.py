"""Browsers as contact methods: where they can be, what is shown of their subscriptions, and what becomes of them."""

import json
from hashlib import sha256
from typing import Any

import pytest
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome, ContactChecked
from pagerpal_common.errors import NoReply
from pagerpal_common.testing.rows import Rows
from pagerpal_common.web_push import given

from .browser import Browser, browse, text_of
from .conftest import ACCOUNTS, T0, Broker, Web
from .test_contact_methods import deliver

OWNER = "viewer"
METHODS = f"/api/v1/users/{ACCOUNTS[OWNER]}/contact-methods"
PROFILE = "/profile"
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
PUSH_KEY = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"


def subscription(name: str = "canary-1", host: str = "updates.push.services.mozilla.com") -> str:
    """What a browser says of it, with secrets that are told from everything else."""
    keys = {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "canarycanarycanarycanA",
    }
    return json.dumps({"endpoint": f"https://{host}/wpush/v2/{name}", "expirationTime": None, "keys": keys})


DEVICE: dict[str, Any] = {"do": "add_device", "form": "device", "device__subscription": subscription()}


@pytest.fixture
async def served(rows: Rows) -> None:
    """A notifier that sends to browsers has told so."""
    await rows("INSERT INTO notification.channels VALUES ('web_push', 'web_push', :key)", key=PUSH_KEY)


@pytest.fixture
async def viewer(web: Web, served: None) -> Browser:
    """The least of the roles is enough for one's own."""
    return await browse(web, OWNER)


async def a_device(web: Web, name: str = "canary-1") -> Any:
    body = {"channel": "web_push", "address": subscription(name), "label": "Pixel"}
    response = await web("POST", METHODS, body, who=OWNER)
    assert response.status_code == 201, response.text
    return response.json()


async def prove(rows: Rows, method_id: int) -> None:
    await rows(
        "INSERT INTO directory.contact_proofs SELECT user_id, id, address, created_at FROM directory.contact_methods"
        " WHERE id = :id",
        id=method_id,
    )


async def end(rows: Rows, name: str = "canary-1") -> None:
    """What the notifier writes when a push service says that a subscription is over."""
    digest = sha256(given(subscription(name)).address.encode()).digest()
    await rows("INSERT INTO notification.ended_subscriptions VALUES (:digest, :at)", digest=digest, at=T0)


async def stored(web: Web, rows: Rows) -> list[str]:
    return [row["address"] for row in await rows("SELECT address FROM directory.contact_methods ORDER BY id")]


def taken(broker: Broker) -> None:
    """The push service takes what the notifier is asked to send."""
    broker.answer = ContactChecked(occurred_at=T0, outcome=CheckOutcome.SENT, detail="so it said")


async def test_no_browser_is_taken_where_nothing_is_sent_to_browsers(web: Web, rows: Rows) -> None:
    for told in (None, "console"):
        if told is not None:
            await rows("INSERT INTO notification.channels VALUES ('web_push', :told)", told=told)
        response = await web("POST", METHODS, {"channel": "web_push", "address": subscription()}, who=OWNER)

        assert response.status_code == 422
        (problem,) = response.json()["detail"]
        assert (problem["loc"], "PAGERPAL_WEB_PUSH_KEY" in problem["msg"]) == (["body", "channel"], True)
        assert "canary" not in response.text
        shown = await (await browse(web, OWNER)).get(PROFILE)
        assert "Notify this device" not in shown.text
        assert "push.js" not in shown.text


@pytest.mark.usefixtures("served")
async def test_nobody_is_shown_anything_of_a_subscription_not_even_its_owner(web: Web, rows: Rows) -> None:
    made = await a_device(web)

    assert (made["address"], made["label"], made["is_verified"]) == ("webpush+https://…", "Pixel", False)
    assert await stored(web, rows) == [given(subscription()).address]
    for who in (OWNER, "admin"):
        for path in (METHODS, f"{METHODS}/{made['id']}"):
            shown = await web("GET", path, who=who)
            assert (shown.status_code, "canary" in shown.text) == (200, False)
    renamed = await web("PATCH", f"{METHODS}/{made['id']}", {"label": "Phone"}, who=OWNER)
    assert (renamed.status_code, renamed.json()["address"]) == (200, "webpush+https://…")
    assert await stored(web, rows) == [given(subscription()).address]
    again = await web("POST", METHODS, {"channel": "web_push", "address": subscription()}, who=OWNER)
    assert (again.status_code, "canary" in again.text) == (409, False)
    assert "canary" not in str(await web.audit())


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("address", "why"),
    [
        (subscription(host="canary.example.org"), "PAGERPAL_WEB_PUSH_HOSTS"),
        (subscription(host="127.0.0.1"), "PAGERPAL_WEB_PUSH_HOSTS"),
        (subscription(host="169.254.169.254"), "PAGERPAL_WEB_PUSH_HOSTS"),
        (subscription().replace("https:", "http:"), "not reached by TLS"),
        ("webpush+https://fcm.googleapis.com/canary", "no push subscription"),
        ("canary", "no push subscription"),
        ('{"endpoint": "canary"}', "no push subscription"),
    ],
)
async def test_a_browser_that_names_another_place_than_a_push_service_is_refused(
    web: Web, address: str, why: str
) -> None:
    made = await a_device(web)

    refused = await web("POST", METHODS, {"channel": "web_push", "address": address}, who=OWNER)
    changed = await web("PATCH", f"{METHODS}/{made['id']}", {"address": address}, who=OWNER)

    for response in (refused, changed):
        assert (response.status_code, why in response.json()["detail"][0]["msg"]) == (422, True), response.text
        assert "canary" not in response.text


@pytest.mark.usefixtures("served")
async def test_a_subscription_that_has_ended_is_told_and_proves_nothing_until_there_is_another(
    web: Web, rows: Rows
) -> None:
    made = await a_device(web)
    path = f"{METHODS}/{made['id']}"
    await prove(rows, made["id"])
    assert (await web("GET", path, who=OWNER)).json()["is_verified"]

    await end(rows)

    shown = (await web("GET", path, who=OWNER)).json()
    assert (shown["is_verified"], shown["ended_at"]) == (False, f"{T0:%Y-%m-%dT%H:%M:%S}Z")
    renewed = await web("PATCH", path, {"address": subscription("canary-2")}, who=OWNER)
    assert (renewed.json()["ended_at"], renewed.json()["is_verified"]) == (None, False)


async def test_a_browser_is_added_by_its_own_page_and_a_code_sent_to_it_at_once(
    web: Web, viewer: Browser, broker: Broker, rows: Rows
) -> None:
    taken(broker)
    page = await viewer.get(PROFILE, **{"user-agent": FIREFOX})
    assert f'data-push="{PUSH_KEY}"' in page.text
    assert "/static/push-worker.js?v=" in page.text
    assert "[Firefox on Android]" in text_of(page)

    response = await viewer.post(PROFILE, **DEVICE, device__label="My phone")
    assert response.status_code == 303
    shown = await viewer.get(response.headers["location"])

    assert "Push My phone Not verified" in text_of(shown)
    assert "data-push-code" in shown.text
    assert "canary" not in shown.text
    message, _ = broker.asked[-1]
    assert isinstance(message, CheckContact)
    await deliver(broker, rows, "012345")
    proven = await viewer.done(PROFILE, do="prove", form="way-1001", about="1001", way__1001__code="012345")
    assert "Push My phone Verified" in proven
    ruled = await viewer.done(PROFILE, do="use_method", about="1001")
    assert "Every page goes there by push notification, too." in ruled
    assert "at once Push My phone" in ruled


async def test_a_device_without_a_name_is_called_after_its_browser(viewer: Browser, broker: Broker, web: Web) -> None:
    taken(broker)

    await viewer.send(
        PROFILE,
        {"csrf": await viewer.token(), "do": "add_device", "form": "device", "device-subscription": subscription()},
        **{"user-agent": FIREFOX},
    )

    assert (await web("GET", METHODS, who=OWNER)).json()[-1]["label"] == "Firefox on Android"


@pytest.mark.parametrize("said", ["", "canary", "{}", subscription(host="canary.example.org")])
async def test_what_is_no_subscription_is_said_on_the_page(viewer: Browser, web: Web, said: str) -> None:
    response = await viewer.post(PROFILE, **{**DEVICE, "device__subscription": said})

    assert response.status_code == 422
    assert "canary" not in response.text
    assert [one["channel"] for one in (await web("GET", METHODS, who=OWNER)).json()] == ["email"]


async def test_a_device_whose_code_did_not_go_is_kept_and_can_be_sent_another(
    viewer: Browser, broker: Broker, web: Web
) -> None:
    broker.answer = NoReply("nobody")

    response = await viewer.post(PROFILE, **DEVICE)

    assert response.status_code == 503
    assert "Push" in text_of(response)
    taken(broker)
    again = await viewer.done(PROFILE, do="send_code", about="1001")
    assert "A code is on its way by push notification." in again


async def test_the_page_says_that_a_device_has_ended_and_another_takes_its_place_with_its_rules(
    web: Web, viewer: Browser, broker: Broker, rows: Rows
) -> None:
    taken(broker)
    made = await a_device(web)
    await prove(rows, made["id"])
    rule = {"severity": "any", "contact_method_id": made["id"], "delay_seconds": 0}
    assert (
        await web("POST", f"/api/v1/users/{ACCOUNTS[OWNER]}/notification-rules", rule, who=OWNER)
    ).status_code == 201

    await end(rows)

    page = await viewer.get(PROFILE)
    shown = text_of(page)
    assert "Push Pixel Ended This device takes no notifications any more" in shown
    assert "its browser takes no notifications any more" in shown, "and its rule says so"
    assert "Send a code" not in shown.partition("Pixel Ended")[2].partition("Remove")[0]
    renewed = await viewer.done(
        PROFILE, do="renew_device", form="way-1001", about="1001", way__1001__subscription=subscription("canary-2")
    )
    assert "Push Pixel Not verified" in renewed
    assert await stored(web, rows) == [given(subscription("canary-2")).address]
    (kept,) = (await web("GET", f"/api/v1/users/{ACCOUNTS[OWNER]}/notification-rules", who=OWNER)).json()
    assert kept["contact_method_id"] == made["id"]


async def test_the_forms_of_devices_need_the_token_of_the_login(viewer: Browser, web: Web) -> None:
    response = await viewer.send(PROFILE, {"do": "add_device", "form": "device", "device-subscription": subscription()})

    assert response.status_code == 403
    assert [one["channel"] for one in (await web("GET", METHODS, who=OWNER)).json()] == ["email"]


async def test_the_worker_is_a_script_of_ours_that_may_load_nothing_but_pictures(viewer: Browser) -> None:
    worker = await viewer.get("/static/push-worker.js")

    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["content-security-policy"] == "default-src 'none'; img-src 'self'; frame-ancestors 'none'"
    assert "service-worker-allowed" not in worker.headers, "it stands between no page and its server"
