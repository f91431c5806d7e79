"""A browser that is paged: from the button on the profile to the incident that a tap opens.

Chromium's own push service is Google's, which no test may ask: what it would answer to `subscribe` is put there, and
what PagerPal then posts is opened with that subscription's keys, and handed to Chromium as its service hands it over.
"""

import json
import re
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from pagerpal_common.testing.browser import FakeBrowser
from playwright.sync_api import CDPSession, Page, expect

from tests.e2e.deployment import Deployment
from tests.ui.conftest import PHONE, Open
from tests.ui.fake_push import FakePush
from tests.ui.test_every_page import check
from tests.ui.world import PASSWORD, Operator, World

SUBSCRIBES = """
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async (options) => {
  if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new TypeError("no such options");
  const { active } = await navigator.serviceWorker.getRegistration("/static/");
  if (!active) throw new DOMException("no active worker", "AbortError");
  return { toJSON: () => (%s) };
};
"""
_PATIENCE_SECONDS = 30
_AGAIN_SECONDS = 5

_numbers = count(1)


@pytest.fixture
def device(push: FakePush) -> FakeBrowser:
    """Whose keys Chromium will say are its own."""
    push.status = 201
    return FakeBrowser(f"http://{push.host}/push/{next(_numbers)}")


def somebody(operator: Operator) -> str:
    email = f"device{next(_numbers)}@example.org"
    operator.post("/api/v1/users", name="Dev Ice", email=email, role="responder", password=PASSWORD)
    return email


def at_profile(open_page: Open, email: str, device: FakeBrowser | None, *permissions: str) -> Page:
    """On a telephone; the browser asks nobody, and has these permissions."""
    page = open_page("/login", who=email, password=PASSWORD, viewport=PHONE)
    page.context.grant_permissions(list(permissions))
    if device is not None:
        page.add_init_script(SUBSCRIBES % device.subscription())
    page.goto("/profile")
    return page


class Worker:
    """The service worker of a page, seen by the browser's own tools."""

    def __init__(self, page: Page, origin: str) -> None:
        self._page, self._origin = page, origin
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._registrations: list[dict[str, Any]] = []
        self._active: set[str] = set()
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._note)
        self._session.on("ServiceWorker.workerVersionUpdated", self._note_version)
        self._session.send("ServiceWorker.enable")

    def _note(self, event: dict[str, Any]) -> None:
        self._registrations += event["registrations"]

    def _note_version(self, event: dict[str, Any]) -> None:
        self._active |= {one["registrationId"] for one in event["versions"] if one["status"] == "activated"}

    def push(self, data: bytes) -> None:
        """What the push service hands over, opened."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not (self._registrations and self._active) and time.monotonic() < until:
            self._page.evaluate("0")  # while it waits for anything, it is told what the browser has to tell
        (number,) = {one["registrationId"] for one in self._registrations}
        values = {"origin": self._origin, "registrationId": number, "data": data.decode()}
        self._session.send("ServiceWorker.deliverPushMessage", values)


def shown(page: Page) -> list[dict[str, Any]]:
    """The notifications of this site."""
    found: list[dict[str, Any]] = page.evaluate(
        """async () => (await (await navigator.serviceWorker.getRegistration("/static/")).getNotifications())
        .map((one) => ({title: one.title, body: one.body, tag: one.tag, data: one.data}))"""
    )
    return found


def hand_over(worker: Worker, data: bytes, is_taken: Callable[[], bool]) -> None:
    """Until it is taken: what the browser's tools hand over is lost now and then."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not is_taken():
        assert time.monotonic() < until, "nobody takes it"
        worker.push(data)
        again = time.monotonic() + _AGAIN_SECONDS
        while not is_taken() and time.monotonic() < again:
            pass  # each look lets the browser go on


def until_taken(page: Page, worker: Worker, data: bytes, title: str) -> list[dict[str, Any]]:
    """The notifications, once one has this title."""
    hand_over(worker, data, lambda: title in {one["title"] for one in shown(page)})
    return shown(page)


def until_proven(page: Page, worker: Worker, code: bytes) -> None:
    """Once the page has taken the code."""

    def is_proven() -> bool:
        try:
            expect(page.get_by_text("Verified. No rule uses it yet")).to_be_visible(timeout=250)
        except AssertionError:
            return False
        return True

    hand_over(worker, code, is_proven)


def test_a_device_is_added_proves_itself_and_is_paged(
    open_page: Open, deployment: Deployment, operator: Operator, push: FakePush, device: FakeBrowser
) -> None:
    page = at_profile(open_page, somebody(operator), device, "notifications")
    page.get_by_label("Name of this device").fill("Pocket")
    check(page, "profile-device-offered")

    page.get_by_role("button", name="Notify this device").click()

    way = page.locator("#ways li[id]").filter(has_text="Pocket")
    expect(way).to_contain_text("Not verified")
    check(page, "profile-device-code")
    code = device.opened(push.bodies.get(timeout=_PATIENCE_SECONDS))
    until_proven(page, Worker(page, deployment.url), code)
    expect(way).not_to_contain_text("Not verified")

    way.get_by_role("button", name="Use it for every page").click()
    expect(page.locator("#rules")).to_contain_text("Pocket")
    check(page, "profile-device-used")
    way.get_by_role("button", name="Send a test page").click()
    test_page = device.opened(push.bodies.get(timeout=_PATIENCE_SECONDS))
    until_taken(page, Worker(page, deployment.url), test_page, "Test page from PagerPal: nothing is wrong")


def test_a_code_that_came_before_its_page_is_taken_too(
    open_page: Open, deployment: Deployment, operator: Operator, push: FakePush, device: FakeBrowser
) -> None:
    page = at_profile(open_page, somebody(operator), device, "notifications")
    page.get_by_role("button", name="Notify this device").click()
    way = page.locator("#ways li[id]").filter(has_text="Not verified").last
    expect(way).to_contain_text("Code")
    where = page.url
    code = device.opened(push.bodies.get(timeout=_PATIENCE_SECONDS))
    page.goto("/dashboard")

    (said,) = until_taken(page, Worker(page, deployment.url), code, "Your PagerPal code")
    assert said["data"]["code"] in said["body"]
    page.goto(where)

    expect(page.locator("#ways")).to_contain_text("Verified")
    expect(page.get_by_text("Verified. No rule uses it yet")).to_be_visible()
    assert [one for one in shown(page) if one["data"]["code"]] == [], "the notification has done its work"


def test_the_worker_shows_a_page_and_a_tap_opens_the_incident_on_pagerpal_and_nowhere_else(
    open_page: Open, deployment: Deployment, operator: Operator, world: World, device: FakeBrowser
) -> None:
    page = at_profile(open_page, somebody(operator), device, "notifications")
    page.evaluate(
        """async () => {
          const form = document.querySelector("form[data-push]");
          const made = await navigator.serviceWorker.register(form.dataset.worker, {scope: "/static/"});
          const coming = made.installing ?? made.waiting;
          if (!made.active) await new Promise((done) => (coming.onstatechange = () => made.active && done()));
        }"""
    )
    worker = Worker(page, deployment.url)
    incident = world.path("/incidents/{triggered_id}")
    for title in ("CRITICAL #1: x", "CRITICAL #1: y"):
        said = {"title": title, "body": "b", "path": incident, "tag": "incident-1"}
        until_taken(page, worker, json.dumps(said).encode(), title)

    found = until_taken(page, worker, b"not of ours", "PagerPal has something for you")

    titles = {one["title"] for one in found}
    assert titles == {"CRITICAL #1: y", "PagerPal has something for you"}, "the same incident takes its own place"
    until = time.monotonic() + _PATIENCE_SECONDS
    while not page.context.service_workers and time.monotonic() < until:
        page.evaluate("0")
    (service_worker,) = page.context.service_workers
    for path, action, leads_to in (
        (incident, "", incident),
        (incident, "ack", "/a/token"),
        ("https://example.org/evil", "", "/incidents"),
        ("//example.org/evil", "", "/incidents"),
    ):
        opened = service_worker.evaluate(
            """async ([path, action]) => {
              let opened = null;
              self.clients.openWindow = async (url) => { opened = url; };
              const notification = { close() {}, data: { path, ack: "/a/token" } };
              const event = new Event("notificationclick");
              let done = null;
              Object.assign(event, { notification, action, waitUntil: (promise) => { done = promise; } });
              self.dispatchEvent(event);
              await done;
              return opened;
            }""",
            [path, action],
        )
        assert opened == deployment.url + leads_to


def test_a_browser_that_may_not_notify_says_what_to_do(open_page: Open, operator: Operator) -> None:
    page = at_profile(open_page, somebody(operator), None)
    page.evaluate("Notification.requestPermission = async () => 'denied'")

    page.get_by_role("button", name="Notify this device").click()

    expect(page.get_by_role("alert").filter(has_text="blocked")).to_be_visible()
    check(page, "profile-device-blocked")
    page.evaluate(
        """() => {
          Notification.requestPermission = async () => 'granted';
          PushManager.prototype.subscribe = async () => { throw new DOMException("no push service", "AbortError"); };
        }"""
    )
    page.get_by_role("button", name="Notify this device").click()
    expect(page.get_by_role("alert").filter(has_text="push service does not answer")).to_be_visible()


def test_without_scripts_nothing_is_offered_that_could_not_be_done(open_page: Open, operator: Operator) -> None:
    page = open_page("/profile", who=somebody(operator), password=PASSWORD, java_script_enabled=False)

    expect(page.get_by_role("heading", name="Contact methods")).to_be_visible()
    expect(page.get_by_role("button", name="Notify this device")).to_be_hidden()


def test_a_device_that_has_ended_is_replaced(
    open_page: Open, deployment: Deployment, operator: Operator, push: FakePush, device: FakeBrowser
) -> None:
    page = at_profile(open_page, somebody(operator), device, "notifications")
    page.get_by_role("button", name="Notify this device").click()
    way = page.locator("#ways li[id]").filter(has_text=re.compile("Not verified")).last
    expect(way).to_contain_text("Code")
    until_proven(page, Worker(page, deployment.url), device.opened(push.bodies.get(timeout=_PATIENCE_SECONDS)))
    push.status = 410

    page.locator("#ways li[id]").last.get_by_role("button", name="Send a test page").click()
    expect(page.get_by_role("alert").first).to_contain_text("takes no notifications any more")
    push.bodies.get(timeout=_PATIENCE_SECONDS)
    page.goto("/profile")

    expect(page.locator("#ways li[id]").last).to_contain_text("This device takes no notifications any more")
    check(page, "profile-device-ended")
    push.status = 201
    anew = FakeBrowser(device.endpoint + "-anew")
    page.evaluate(f"() => {{ {SUBSCRIBES % anew.subscription()} }}")
    page.get_by_role("button", name="Notify this device instead").click()
    expect(page.locator("#ways li[id]").last).to_contain_text("Not verified")
    until_proven(page, Worker(page, deployment.url), anew.opened(push.bodies.get(timeout=_PATIENCE_SECONDS)))
