"""Standing in for somebody on a telephone, and changing a schedule, in a real browser."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.e2e.deployment import Deployment
from tests.ui.conftest import DESK, PHONE, Open, picture
from tests.ui.world import PASSWORD, Operator, World


@pytest.fixture
def operator(deployment: Deployment) -> Iterator[Operator]:
    by = Operator(deployment)
    yield by
    by.client.close()


@pytest.fixture
def shift(operator: Operator, deployment: Deployment, world: World) -> int:
    """A new schedule of the team, on which Bo is on call now; its id."""
    now = deployment.clock.now()
    schedule = operator.post("/api/v1/schedules", team_id=world.team_id, name="Evenings", timezone="Europe/Berlin")
    path = f"/api/v1/schedules/{schedule['id']}/entries"
    operator.post(path, user_id=world.user_id, starts_at=(now - timedelta(hours=1)).isoformat(),
                  ends_at=(now + timedelta(hours=7)).isoformat())  # fmt: skip
    number: int = schedule["id"]
    return number


def on_call(operator: Operator, world: World, schedule: int) -> list[str]:
    found = operator.get(f"/api/v1/teams/{world.team_id}/oncall")["oncall"]
    return [one["user_name"] for one in found if one["schedule_id"] == schedule]


def is_readable(page: Page, name: str) -> None:
    picture(page, name)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
def test_cover_for_me_takes_two_clicks_on_a_telephone(
    open_page: Open, operator: Operator, world: World, shift: int, scripts: bool
) -> None:
    page = open_page("/on-call", who=world.email, password=PASSWORD, viewport=PHONE, java_script_enabled=scripts)
    card = page.locator("li", has=page.locator(f'a[href="/schedules/{shift}"]'))

    card.get_by_text("Cover for me").click()
    if scripts:
        is_readable(page, "cover-for-me-phone")
    card.get_by_role("button", name="Cy Castro").click()

    expect(page.get_by_role("status").filter(has_text="Cy Castro is on call on Evenings")).to_be_visible()
    assert on_call(operator, world, shift) == ["Cy Castro"]


def test_a_schedule_is_changed_by_preview_and_save(
    open_page: Open, operator: Operator, world: World, shift: int
) -> None:
    page = open_page(f"/schedules/{shift}", java_script_enabled=False)

    page.get_by_role("link", name="Add rotation").click()
    page.get_by_label("Name").fill('Weeks <b onclick="alert(1)">')
    page.get_by_label("1.", exact=True).select_option("Bo Berg")
    page.get_by_label("2.", exact=True).select_option("Cy Castro")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    expect(page.get_by_text("instead of nobody").first).to_be_visible()
    picture(page, "rotation-preview-desk")
    page.get_by_role("button", name="Save").click()

    expect(page).to_have_url(re.compile(rf"/schedules/{shift}$"))
    expect(page.get_by_role("status")).to_contain_text("Rotation saved.")
    expect(page.get_by_role("listitem").filter(has_text='Weeks <b onclick="alert(1)">')).to_be_visible()
    (rotation,) = operator.get(f"/api/v1/schedules/{shift}/rotations")
    assert rotation["user_ids"] == [world.user_id, world.other_id]


@pytest.mark.parametrize(("name", "viewport"), [("desk", DESK), ("phone", PHONE)])
def test_a_preview_is_readable(open_page: Open, shift: int, name: str, viewport: dict[str, int]) -> None:
    page = open_page(f"/schedules/{shift}/entries/new?override", viewport=viewport)

    page.get_by_label("Who").select_option(label="Cy Castro")
    page.get_by_label("From").fill("2027-03-28T02:30")
    page.get_by_label("To").fill("2027-03-30T09:00")
    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_text("02:30 never comes on 28 Mar")).to_be_visible()
    is_readable(page, f"entry-preview-{name}")


def test_a_new_calendar_address_is_readable(open_page: Open) -> None:
    page = open_page("/on-call/calendars", viewport=PHONE)

    page.get_by_role("button", name="Feed of my shifts").click()

    expect(page.get_by_text("It is shown only now.")).to_be_visible()
    is_readable(page, "calendar-new-phone")
