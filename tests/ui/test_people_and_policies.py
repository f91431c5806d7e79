"""Setting up in a real browser: a way that is proven, a page to oneself, a policy on a telephone, hostile names."""

import re
from itertools import count

import pytest
from pagerpal_web.domain.shown import plain
from playwright.sync_api import Page, expect

from tests.e2e.deployment import Deployment
from tests.ui.conftest import DESK, PHONE, Open
from tests.ui.nasty import check_only_text
from tests.ui.test_every_page import check
from tests.ui.world import PASSWORD, Operator, World

HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "an image": "\"'><img src=x onerror=alert(1)><svg/onload=alert(2)>",
    "a template": "{{ 7 * 7 }}{% include 'base.html' %}${7*7}&lt;b&gt;",
    "right to left": "\u202egnp.exe\u202c \u0645\u0631\u062d\u0628\u0627",
    "invisible": "a\u200b\u200d\u2060b\ufeff",
    "very long": "W" * 250,
    "of many marks": "Z\u0351\u036b\u0343" * 60,
}
"""What the fields take, and must be shown as nothing but text."""

_numbers = count(7000)


def somebody(operator: Operator, name: str) -> tuple[str, str]:
    """A new responder who can log in: their address and their telephone."""
    number = next(_numbers)
    email, phone = f"setup{number}@example.org", f"+49151100{number:05}"
    operator.post("/api/v1/users", name=name, email=email, role="responder", phone=phone, password=PASSWORD)
    return email, phone


def sent_to(deployment: Deployment, phone: str) -> list[str]:
    """What has reached this telephone."""
    return [one.text for _, one in deployment.infobip.pages() if one.number == phone.lstrip("+")]


def test_a_way_is_proven_with_the_code_that_comes_and_pages_by_it(
    open_page: Open, deployment: Deployment, operator: Operator
) -> None:
    email, _ = somebody(operator, "Dana")
    other = f"+49151200{next(_numbers):05}"
    page = open_page("/profile", who=email, password=PASSWORD, viewport=PHONE)
    check(page, "profile-with-phone")

    page.get_by_text("Add a contact method").click()
    page.get_by_label("Number, address or URL").fill(other)
    page.get_by_label("Name for it").fill("Work")
    page.get_by_role("button", name="Add", exact=True).click()
    way = page.locator("#ways li[id]").filter(has_text=other)
    expect(way).to_contain_text("Not verified")
    way.get_by_role("button", name="Send a code").click()
    expect(page.get_by_text("A code is on its way by SMS.")).to_be_visible()
    check(page, "profile-code")
    (text,) = sent_to(deployment, other)
    code = re.search(r"\b\d{6}\b", text)
    assert code is not None
    way.get_by_label("Code").fill(code[0])
    way.get_by_role("button", name="Verify").click()
    expect(way).not_to_contain_text("Not verified")

    page.get_by_text("Add a rule").click()
    page.get_by_label("By").first.select_option(label="SMS Work")
    page.get_by_label("When").select_option(label="after 5 min")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator("#rules .stops-row").first).to_contain_text("after 5 min")
    check(page, "profile-with-rule")
    assert other not in (open_page("/users", viewport=DESK).content())


def test_a_test_page_to_oneself_arrives(open_page: Open, deployment: Deployment, operator: Operator) -> None:
    email, phone = somebody(operator, "Elia")
    page = open_page("/profile", who=email, password=PASSWORD, java_script_enabled=False)

    page.locator("#way-1").get_by_role("button", name="Send a test page").click()

    expect(page.get_by_text("A test page is on its way by SMS.")).to_be_visible()
    (text,) = sent_to(deployment, phone)
    assert "test" in text.lower()


def test_a_policy_of_two_levels_is_built_on_a_telephone(open_page: Open, operator: Operator) -> None:
    team = operator.post("/api/v1/teams", name="Ferries")
    somebody(operator, "Faro")
    page = open_page(f"/escalation-policies?team={team['id']}", viewport=PHONE)

    page.get_by_label("Name").fill("Ferries by night")
    page.get_by_role("button", name="Create policy").click()
    expect(page.get_by_text("No levels yet")).to_be_visible()
    check(page, "policy-empty")
    for who, minutes in (("Faro", "5"), ("Cy Castro", "10")):
        page.get_by_label("Who is paged").select_option(label=who)
        page.get_by_label("Escalate after (minutes)").last.fill(minutes)
        page.get_by_role("button", name="Add level").click()
    expect(page.locator(".flow > li").nth(1)).to_contain_text("Cy Castro")
    page.get_by_role("button", name="Move level 2 up").click()
    expect(page.locator(".flow > li").first).to_contain_text("Cy Castro")
    expect(page.locator("#policy-now")).to_contain_text("10:00")

    page.get_by_text("Change level 1").click()
    check(page, "policy-change")
    page.get_by_text("Delete the policy").click()
    page.get_by_role("button", name="Delete permanently").click()
    expect(page).to_have_url("/escalation-policies")
    operator.client.delete(f"/api/v1/teams/{team['id']}")


def test_the_forecast_is_loaded_again_for_another_severity(open_page: Open, world: World) -> None:
    page = open_page(world.path("/escalation-policies/{policy_id}"))
    page.get_by_role("link", name="Info").click()
    expect(page.locator("#policy-now [aria-current]")).to_have_text("Info")
    expect(page.locator("#policy-now")).to_contain_text("SMS to Bo Berg")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_is_typed_is_shown_as_text(open_page: Open, operator: Operator, text: str) -> None:
    """The browser complains of nothing (`open_page`), and nothing of it becomes a part of the page."""
    page = open_page("/teams", viewport=PHONE)
    _open(page, "New team")
    page.get_by_label("Name").fill(text)
    page.get_by_label("Description").fill(text)
    page.get_by_role("button", name="Create team").click()
    team = _is_text(page, text)

    page.goto(f"/escalation-policies?team={team}")
    page.get_by_label("Name").fill(text)
    page.get_by_role("button", name="Create policy").click()
    policy = _is_text(page, text)
    page.get_by_label("Escalate after (minutes)").fill(text)
    page.get_by_label("Who is paged").select_option(index=1)
    page.get_by_role("button", name="Add level").click()
    expect(page.locator("#new-timeout_minutes-wrong")).to_be_visible()
    _is_still_typed(page, "#new-timeout_minutes", text)

    number = next(_numbers)
    page.goto("/users")
    _open(page, "New person")
    page.get_by_label("Name").first.fill(text)
    page.get_by_label("Email address").fill(f"hostile{number}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Time zone").fill(text)
    page.get_by_role("button", name="Add person").click()
    expect(page.locator("#timezone-wrong")).to_be_visible()
    _is_still_typed(page, "#timezone", text)
    page.get_by_label("Time zone").fill("UTC")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Add person").click()
    person = _is_text(page, text)
    operator.post(f"/api/v1/teams/{team}/members", user_id=int(person))
    for path in ("/users", "/teams", f"/teams/{team}", "/escalation-policies", f"/escalation-policies/{policy}"):
        page.goto(path)
        check_only_text(page)
    page.goto("/users")
    page.get_by_label("Find by name or address").fill(text)
    page.get_by_role("button", name="Find").click()
    _is_still_typed(page, "#q", text)

    _own_profile(open_page("/profile", who=f"hostile{number}@example.org", password=PASSWORD, viewport=PHONE), text)
    for path in (f"escalation-policies/{policy}", f"teams/{team}", f"users/{person}"):
        assert operator.client.delete(f"/api/v1/{path}").is_success


def _own_profile(page: Page, text: str) -> None:
    for label in ("Name", "Phone", "Time zone"):
        page.locator("form", has=page.locator("#you-name")).get_by_label(label).fill(text)
    page.locator("form", has=page.locator("#you-name")).get_by_role("button", name="Save").click()
    expect(page.locator("#you-timezone-wrong")).to_be_visible()
    _is_still_typed(page, "#you-name", text)
    _is_still_typed(page, "#you-phone", text)
    page.get_by_text("Add a contact method").click()
    page.get_by_label("Number, address or URL").fill(text)
    page.get_by_label("Name for it").fill(text)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#method-address-wrong")).to_be_visible()
    _is_still_typed(page, "#method-label", text)
    page.get_by_label("Number, address or URL").fill("+4915130000001")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#ways")).to_contain_text("+4915130000001")
    check_only_text(page)


def _open(page: Page, summary: str) -> None:
    """Unfold what makes something new, unless it is unfolded."""
    if page.locator(".maker[open]").count() == 0:
        page.locator(".maker > summary", has_text=summary).click()


def _is_text(page: Page, text: str) -> str:
    """It is the heading of the page that has been come to, whose id this is."""
    expect(page.locator(".page-head h1")).to_have_text(plain(text))
    check_only_text(page)
    return page.url.rpartition("/")[2]


def _is_still_typed(page: Page, field: str, text: str) -> None:
    assert page.locator(field).input_value() == text.strip()
    check_only_text(page)
