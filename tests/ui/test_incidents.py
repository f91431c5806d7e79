"""Somebody acts on incidents in a browser: at a desk, on a telephone, with a colleague, and without JavaScript."""

from pathlib import Path

from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment, standalone
from tests.e2e.fake_infobip import fake_infobip
from tests.ui.conftest import DESK, PHONE, Open, picture
from tests.ui.world import PASSWORD, Operator, World

LIVE_MILLISECONDS = 10_000
"""A page that is not told of a change notices after 12 s that it has heard nothing, and asks."""


def an_incident(deployment: Deployment, world: World, title: str) -> int:
    by = Operator(deployment)
    try:
        return by.alert(world.source_key, title)
    finally:
        by.client.close()


def test_an_incident_is_acknowledged_with_a_thumb(open_page: Open, deployment: Deployment, world: World) -> None:
    number = an_incident(deployment, world, "Thumb")
    page = open_page(
        f"/incidents/{number}", who=world.email, password=PASSWORD, viewport=PHONE, has_touch=True, is_mobile=True
    )
    button = page.get_by_role("button", name="Acknowledge")
    box = button.bounding_box()
    picture(page, "incident-thumb")

    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= PHONE["height"]
    button.tap()

    expect(page.get_by_text("Acknowledged by Bo Berg.")).to_be_visible()
    expect(page.locator("#head")).to_contain_text("Acknowledged by Bo Berg (you)")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_a_second_tab_shows_an_acknowledgement_and_keeps_what_is_being_typed(
    open_page: Open, deployment: Deployment, world: World
) -> None:
    number = an_incident(deployment, world, "Two tabs")
    watching = open_page(f"/incidents/{number}")
    dashboard = open_page("/dashboard")
    listed = open_page("/incidents")
    acting = open_page(f"/incidents/{number}", who=world.email, password=PASSWORD)
    watching.get_by_label("Add a note").fill("I see the dis")
    watching.get_by_label("Acting as").select_option(str(world.other_id))
    expect(dashboard.locator("[aria-labelledby=waiting]")).to_contain_text("Two tabs")

    acting.get_by_role("button", name="Acknowledge").click()

    expect(watching.locator("#head")).to_contain_text("Acknowledged by Bo Berg", timeout=LIVE_MILLISECONDS)
    expect(watching.locator("#actions").get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(watching.locator("#lines")).to_contain_text("Incident acknowledged")
    expect(watching.get_by_label("Add a note")).to_have_value("I see the dis")
    expect(watching.get_by_label("Acting as")).to_have_value(str(world.other_id))
    expect(dashboard.locator("[aria-labelledby=taken]")).to_contain_text("Two tabs", timeout=LIVE_MILLISECONDS)
    expect(listed.locator(f"#incident-{number}")).to_contain_text("Bo Berg", timeout=LIVE_MILLISECONDS)
    watching.get_by_role("button", name="Add note").click()
    expect(watching.locator("#lines")).to_contain_text("I see the dis")
    expect(watching.locator("#lines")).to_contain_text("Cy Castro, entered by Admin")


def test_of_two_people_who_acknowledge_the_second_is_told_who_was_first(
    open_page: Open, deployment: Deployment, world: World
) -> None:
    number = an_incident(deployment, world, "Two people")
    first = open_page(f"/incidents/{number}", who=world.email, password=PASSWORD, java_script_enabled=False)
    second = open_page(f"/incidents/{number}", java_script_enabled=False)

    first.get_by_role("button", name="Acknowledge").click()
    second.get_by_role("button", name="Acknowledge").click()

    expect(second.get_by_text("Bo Berg acknowledged it")).to_contain_text("s before you. Nobody else is paged.")
    expect(second.locator("#head")).to_contain_text("Acknowledged by Bo Berg")


def test_everything_can_be_done_without_javascript(open_page: Open, deployment: Deployment, world: World) -> None:
    number = an_incident(deployment, world, "No JavaScript")
    page = open_page(f"/incidents/{number}", java_script_enabled=False)

    page.get_by_label("Acting as").select_option(str(world.user_id))
    page.get_by_role("button", name="Escalate").click()
    expect(page.get_by_text("Escalated to level 2.")).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged by Admin.")).to_be_visible()
    page.get_by_label("Add a note").fill("Two lines\nof what I found")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#lines")).to_contain_text("of what I found")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Resolved by Admin.")).to_be_visible()
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_text("Reopened: its escalation begins again")).to_be_visible()
    page.goto("/incidents")
    page.get_by_label(f"Incident {number}", exact=True).check()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("1 incident resolved.")).to_be_visible()


def test_a_second_click_on_escalate_skips_no_level(open_page: Open, deployment: Deployment, world: World) -> None:
    number = an_incident(deployment, world, "Twice")
    one = open_page(f"/incidents/{number}")
    expect(one.locator("#head")).to_contain_text("Level 1 is paged")
    other = open_page(f"/incidents/{number}", java_script_enabled=False)

    one.get_by_role("button", name="Escalate").click()
    expect(one.get_by_text("Escalated to level 2.")).to_be_visible()
    other.get_by_role("button", name="Escalate").click()

    expect(other.get_by_role("alert")).to_contain_text(f"Incident {number} is at level 2 by now, not 1.")


def test_the_list_does_not_move_while_boxes_are_ticked(open_page: Open, deployment: Deployment, world: World) -> None:
    ticked = an_incident(deployment, world, "Ticked")
    page = open_page("/incidents")
    page.get_by_label(f"Incident {ticked}", exact=True).check()

    later = an_incident(deployment, world, "Later")
    expect(page.locator("[data-held]")).to_be_visible()
    expect(page.locator(f"#incident-{later}")).to_have_count(0)
    expect(page.get_by_label(f"Incident {ticked}", exact=True)).to_be_checked()
    page.get_by_label(f"Incident {ticked}", exact=True).uncheck()
    expect(page.locator(f"#incident-{later}")).to_be_visible()
    expect(page.locator("[data-held]")).to_be_hidden()

    page.get_by_label("All", exact=True).check()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".banner.good")).to_contain_text("acknowledged.")
    expect(page.locator(f"#incident-{later}")).to_contain_text("Acknowledged")


def test_a_page_that_hears_nothing_says_how_old_it_is(browser: Browser, deployment: Deployment) -> None:
    # Not by `open_page`: that the browser complains of the cut is right.
    context = browser.new_context(base_url=deployment.url, viewport=DESK)
    context.request.post("/login", data={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    page = context.new_page()
    page.clock.install()
    page.goto("/dashboard")

    def cut(route: Route) -> None:
        route.abort()

    page.route("**/events", cut)
    page.route("**/dashboard/live", cut)
    page.route("**/_partials/gstrip", cut)
    page.reload()
    expect(page.locator("#stale")).to_be_hidden()
    pass_by(page, 30)

    expect(page.locator("#stale")).to_contain_text("Not live: this page is from")
    expect(page.locator("body.is-stale")).to_have_count(1)
    picture(page, "dashboard-stale")
    page.unroute("**/dashboard/live", cut)
    page.unroute("**/_partials/gstrip", cut)
    pass_by(page, 12)
    expect(page.locator("#stale")).to_be_hidden()
    context.close()


def pass_by(page: Page, seconds: int) -> None:
    """The page's own time, slowly enough for what it asks of the server to be answered in between."""
    for _ in range(seconds):
        page.clock.run_for(1000)
        page.evaluate("fetch('/health').then((answer) => answer.text())")


def test_what_happens_next_is_counted_down(open_page: Open, deployment: Deployment, world: World) -> None:
    number = an_incident(deployment, world, "Count down")
    page = open_page(f"/incidents/{number}")
    expect(page.locator("#next")).to_contain_text("Level 2 pages Cy Castro")
    expect(page.locator("#next")).to_contain_text("Call to Bo Berg")
    count = page.locator("#next .count").last

    before = count.inner_text()

    expect(count).not_to_have_text(before)
    assert before.startswith(("4:", "5:0"))


def test_from_the_first_run_to_the_first_page(browser: Browser, tmp_path: Path) -> None:
    with fake_infobip() as infobip, standalone(tmp_path, infobip, first_admin=lambda _: None) as running:
        page = browser.new_context(base_url=running.url).new_page()
        page.goto("/")
        page.get_by_label("Your name").fill("Ana")
        page.get_by_label("Email address").fill("ana@example.org")
        page.get_by_label("Password").fill("a horse, a staple and a battery")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("heading", name="Set up PagerPal")).to_be_visible()
        expect(page.get_by_text("0 of 6 done")).to_be_visible()
        picture(page, "dashboard-first-run")

        key = set_up(page)
        page.reload()
        expect(page.get_by_text("5 of 6 done")).to_be_visible()
        body = {"title": "First of all", "severity": "critical", "external_id": "1"}
        assert page.request.post("/api/v1/alerts", data=body, headers={"X-API-Key": key}).ok

        expect(page.locator("[aria-labelledby=waiting]")).to_contain_text("First of all")
        expect(page.get_by_role("heading", name="Set up PagerPal")).to_have_count(0)
        page.get_by_role("link", name="First of all").click()
        expect(page.locator("#lines")).to_contain_text("SMS sent to Ana")
        assert ["First of all" in asked.text for _, asked in infobip.pages()] == [True]
        page.context.close()


def set_up(page: Page) -> str:
    """What the checklist asks for, by the API; the key of the alert source."""

    def post(path: str, **body: object) -> dict[str, object]:
        answer = page.request.post(f"/api/v1/{path}", data=body)
        assert answer.ok, answer.text()
        made: dict[str, object] = answer.json()
        return made

    team = post("teams", name="Platform")["id"]
    assert page.request.patch("/api/v1/users/1", data={"phone": "+4915110000009"}).ok
    post(f"teams/{team}/members", user_id=1)
    schedule = post("schedules", team_id=team, name="First line")["id"]
    turns = {"name": "Weeks", "user_ids": [1], "kind": "weekly", "handoff_at": "2026-01-05T09:00:00"}
    post(f"schedules/{schedule}/rotations", **turns)
    policy = post("escalation-policies", team_id=team, name="Default")["id"]
    level = post(f"escalation-policies/{policy}/levels", level_number=1, timeout_minutes=5)["id"]
    who = {"assignee_type": "schedule", "schedule_id": schedule}
    post(f"escalation-policies/{policy}/levels/{level}/assignees", **who)
    return str(post("alert-sources", team_id=team, name="Cron", source_type="generic")["api_key"])
