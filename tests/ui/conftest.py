"""What does somebody see in a real browser? Debian's Chromium, looking at a PagerPal of its own in one process.

A run of pytest of its own: Playwright's synchronous interface and asynchronous tests do not go together.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, ViewportSize, expect

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment, standalone
from tests.e2e.fake_infobip import fake_infobip
from tests.ui.fake_push import FakePush, fake_push
from tests.ui.world import Operator, World, a_world

CHROMIUM = shutil.which("chromium")

PHONE: ViewportSize = {"width": 320, "height": 640}
TABLET: ViewportSize = {"width": 768, "height": 1024}
DESK: ViewportSize = {"width": 1280, "height": 800}

PICTURES = Path(__file__).parents[2] / "dist" / "screenshots"

PATIENCE_MILLISECONDS = 30_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="session", autouse=True)
def _chromium() -> None:
    if CHROMIUM is None:
        pytest.skip("NOT RUN: no Chromium (Debian's package chromium)")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    more = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": more}


@pytest.fixture(scope="session")
def push() -> Iterator[FakePush]:
    """Where its messages to browsers go."""
    with fake_push() as fake:
        yield fake


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory, push: FakePush) -> Iterator[Deployment]:
    """A running PagerPal that all these tests share."""
    directory, messengers = tmp_path_factory.mktemp("ui"), "discord,matrix,ntfy,telegram"
    with (
        fake_infobip() as infobip,
        standalone(directory, infobip, PAGERPAL_LONG_TAIL=messengers, PAGERPAL_WEB_PUSH_HOSTS=push.host) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def world(deployment: Deployment) -> World:
    """One of everything, as an operator would have set it up by the API."""
    return a_world(deployment)


@pytest.fixture
def operator(deployment: Deployment, world: World) -> Iterator[Operator]:
    """Somebody who sets things up by the API, in that world."""
    by = Operator(deployment)
    yield by
    by.client.close()


class Complaints:
    """What the browser has to say about our pages: nothing, we hope."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """A script error, a violated policy, a dialog: each is written down."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script: {error.error}"))
        context.on("dialog", self._dialog)

    def _dialog(self, dialog: Dialog) -> None:
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        # What the server refuses on purpose the browser calls an error, too; tests look at the status itself.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.found.append(f"{message.type}: {message.text}")


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, deployment: Deployment) -> Iterator[Open]:
    """A page in a browser of its own: `open_page("/incidents", who=..., viewport=PHONE, scheme="dark")`, logged in as
    the admin unless told otherwise (`who=None`: as nobody). The test fails when the browser has complained."""
    complaints, contexts = Complaints(), list[BrowserContext]()

    def open_one(
        path: str,
        *,
        who: str | None = ADMIN_EMAIL,
        password: str = ADMIN_PASSWORD,
        viewport: ViewportSize = DESK,
        scheme: Literal["light", "dark"] = "light",
        **more: Any,
    ) -> Page:
        context = browser.new_context(base_url=deployment.url, viewport=viewport, color_scheme=scheme, **more)
        contexts.append(context)
        complaints.watch(context)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        if who is not None:
            answer = context.request.post("/login", data={"email": who, "password": password})
            assert answer.ok, answer.text()
        page = context.new_page()
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints.found == []


def picture(page: Page, name: str) -> None:
    """Keep how the page looks, whole: `dist/screenshots/<name>.png`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if CHROMIUM is None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.section("NOT RUN", sep="!", red=True, bold=True)
            reporter.write_line("NOT RUN: every test in a browser. Install chromium, and run this again.", red=True)
