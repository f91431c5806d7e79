"""Logging in and out, the first admin, and what other sites' pages cannot do."""

from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment, standalone
from tests.ui.conftest import Open, picture


def test_who_is_not_logged_in_comes_to_the_login_and_back(open_page: Open) -> None:
    page = open_page("/logout?x=1", who=None)
    expect(page).to_have_url("/login?next=%2Flogout%3Fx%3D1")

    page.get_by_label("Email address").fill(ADMIN_EMAIL)
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page).to_have_url("/logout?x=1")


def test_a_wrong_password_is_said_in_the_form_and_the_address_stays(open_page: Open) -> None:
    page = open_page("/login", who=None)

    page.get_by_label("Email address").fill(ADMIN_EMAIL)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_contain_text("address or the password is wrong")
    expect(page.get_by_label("Email address")).to_have_value(ADMIN_EMAIL)
    expect(page.get_by_label("Password")).to_have_value("")


def test_logging_out_ends_the_session(open_page: Open, browser: Browser, deployment: Deployment) -> None:
    page = open_page("/logout")
    cookies = page.context.storage_state()

    page.get_by_role("main").get_by_role("button", name="Log out").click()

    expect(page).to_have_url("/login")
    before = browser.new_context(base_url=deployment.url, storage_state=cookies).new_page()
    before.goto("/logout")
    expect(before).to_have_url("/login?next=%2Flogout")


def test_a_login_works_without_javascript(open_page: Open) -> None:
    page = open_page("/login?next=/logout", who=None, java_script_enabled=False)

    page.get_by_label("Email address").fill(ADMIN_EMAIL)
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page).to_have_url("/logout")


def test_a_form_without_the_token_of_the_login_does_nothing(deployment: Deployment) -> None:
    with httpx.Client(base_url=deployment.url) as client:
        client.post("/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).raise_for_status()

        without = client.post("/logout/leave", data={})
        wrong = client.post("/logout/leave", data={"csrf": "0" * 64})
        foreign = client.post("/logout/leave", data={}, headers={"Origin": "https://evil.example"})

        assert [without.status_code, wrong.status_code, foreign.status_code] == [403, 403, 403]
        assert client.get("/logout").status_code == 200


def test_the_very_first_admin_is_made_in_the_browser(browser: Browser, tmp_path: Path) -> None:
    with standalone(tmp_path, None, first_admin=lambda _: None) as running:
        page = browser.new_context(base_url=running.url).new_page()
        page.goto("/")
        picture(page, "first-admin")

        page.get_by_label("Your name").fill("Ana")
        page.get_by_label("Email address").fill("ana@example.org")
        page.get_by_label("Password").fill("password1234")
        page.get_by_role("button", name="Create account").click()
        expect(page.locator(".wrong, .banner.bad").first).to_be_visible()
        expect(page.get_by_label("Email address")).to_have_value("ana@example.org")
        page.get_by_label("Password").fill("a horse, a staple and a battery")
        page.get_by_role("button", name="Create account").click()

        expect(page).to_have_url("/dashboard")
        page.context.close()
