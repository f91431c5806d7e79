"""Does the API reference (`docs/api-reference.txt`) say the truth about the pages? Each of its lines, by a browser or
by what a browser sends. `tests/e2e/test_api_reference.py` sees to it that no line is left out.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
import pytest
from pagerpal_common.vocabulary import Role
from pagerpal_web.ui import TABLE
from playwright.sync_api import expect

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment
from tests.e2e.reference import says
from tests.ui.conftest import Open
from tests.ui.world import PASSWORD, World

Login = Callable[[str], httpx.Client]

TITLE = "Queue of orders grows, and nobody takes from it"

SECTIONS = ("/teams", "/users", "/schedules", "/escalation-policies", "/alert-sources")
"""Under which the forms are that configure something."""

ACTIONS = {"/alert-sources/{source_id:int}/test", "/schedules/{schedule_id:int}/cover"}
"""What a responder does there: tries whether alerts arrive, and has somebody stand in for a shift."""


@dataclass
class FormFound:
    """A form on a page that posts, as one of its buttons sends it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    words: str = ""
    """What stands on the button."""


class Forms(HTMLParser):
    """The buttons of a page that send forms, each with what it sends. A button may stand outside of its form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._forms: dict[str, FormFound] = {}
        self._buttons: list[tuple[str, dict[str, str], FormFound]] = []
        self._here = ""
        self._is_on_button = False
        self.feed(text)

    @property
    def found(self) -> list[FormFound]:
        """A form for each button."""
        posting = [one for one in self._buttons if one[0] in self._forms]
        return [
            FormFound(
                attributes.get("formaction") or self._forms[form].action,
                {**self._forms[form].fields, **button.fields},
                button.words,
            )
            for form, attributes, button in posting
        ]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._here = given.get("id") or f"the form {len(self._forms)}"
            if given.get("method") == "post":
                self._forms[self._here] = FormFound(given["action"])
        own = {given["name"]: given.get("value", "")} if given.get("name") else {}
        if tag == "button":
            self._buttons.append((given.get("form") or self._here, given, FormFound("", own)))
            self._is_on_button = True
        form = self._forms.get(given.get("form") or self._here)
        if form is not None and tag in {"input", "select", "textarea"}:
            is_off = given.get("type") == "checkbox" and "checked" not in given
            form.fields.update({} if is_off else own)
        elif form is not None and tag == "option" and "selected" in given:
            form.fields[list(form.fields)[-1]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._here = ""
        if tag == "button":
            self._is_on_button = False

    def handle_data(self, data: str) -> None:
        if self._is_on_button:
            self._buttons[-1][2].words += data


def form_saying(answer: httpx.Response, words: str) -> FormFound:
    """The form that a button sends which says so."""
    found = [form for form in Forms(answer.text).found if words in form.words]
    assert found, f"no button on {answer.url} says {words}"
    return found[0]


@pytest.fixture
def log_in(deployment: Deployment, world: World) -> Iterator[Login]:
    """Logs somebody in by the form: "admin", "responder", "viewer"; "" is nobody."""
    accounts = {
        "admin": (ADMIN_EMAIL, ADMIN_PASSWORD),
        "responder": (world.email, PASSWORD),
        "viewer": (world.viewer_email, PASSWORD),
    }
    clients: list[httpx.Client] = []

    def somebody(who: str) -> httpx.Client:
        client = httpx.Client(base_url=deployment.url, timeout=20)
        clients.append(client)
        if who:
            email, password = accounts[who]
            entered = client.post("/login/enter", data={"email": email, "password": password})
            assert entered.status_code == 303, entered.text
        return client

    yield somebody
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def incident_id(deployment: Deployment, world: World) -> int:
    """An incident that no other test acts on."""
    body = {"title": TITLE, "severity": "critical"}
    headers = {"X-API-Key": world.source_key}
    answer = httpx.post(f"{deployment.url}/api/v1/alerts", json=body, headers=headers, timeout=20)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


def see(log_in: Login, path: str, *expected: str) -> None:
    """Everybody with an account sees the page, and on it what the reference says that it is for; nobody else does."""
    for who in ("viewer", "responder", "admin"):
        answer = log_in(who).get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), who
        for words in expected:
            assert words in answer.text, f"{path} does not say {words} to the {who}"
    sent = log_in("").get(path)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/login?next={path.replace('/', '%2F')}")


@says("The server-rendered UI wraps these actions with CSRF protection")
@pytest.mark.parametrize("action", ["Acknowledge", "Resolve", "Escalate"])
def test_actions_have_a_token_and_a_visible_choice_of_who_is_acting(
    log_in: Login, incident_id: int, action: str
) -> None:
    responder = log_in("responder")
    page = responder.get(f"/incidents/{incident_id}")

    form = form_saying(page, action)

    assert re.fullmatch("[0-9a-f]{64}", form.fields["csrf"])
    assert "Acting as" in page.text
    assert re.search(r'<select[^>]*name="user_id"', page.text)
    without = responder.post(form.action, data={**form.fields, "csrf": ""})
    assert without.status_code == 403
    after = responder.get(f"/api/v1/incidents/{incident_id}").json()
    assert after["status"] == "triggered"


@says("The server-rendered UI wraps these actions with CSRF protection")
def test_the_choice_of_who_is_acting_can_be_seen(open_page: Open, incident_id: int) -> None:
    page = open_page(f"/incidents/{incident_id}")

    expect(page.get_by_label("Acting as").first).to_be_visible()


@says("UI routes use a signed session cookie issued by /login; unauthenticated UI requests redirect to /login.")
def test_pages_know_people_by_a_signed_cookie_and_send_others_to_log_in(deployment: Deployment, world: World) -> None:
    with httpx.Client(base_url=deployment.url, timeout=20) as client:
        before = client.get("/settings?x=1")
        client.post("/login", json={"email": world.email, "password": PASSWORD}).raise_for_status()
        cookie = client.cookies["pagerpal_session"]
        known = client.get("/settings")
        forged = httpx.get(f"{deployment.url}/settings", cookies={"pagerpal_session": f"{cookie[:-4]}AAAA"})

    assert (before.status_code, before.headers["location"]) == (303, "/login?next=%2Fsettings%3Fx%3D1")
    assert known.status_code == 200
    assert (forged.status_code, forged.headers["location"]) == (303, "/login?next=%2Fsettings")


@says("/login User Account login")
def test_login_is_for_people_with_an_account(log_in: Login) -> None:
    """`test_frame.py` makes the very first admin there."""
    page = log_in("").get("/login")

    assert page.status_code == 200
    assert set(form_saying(page, "Log in").fields) >= {"email", "password"}


@says("/logout Clear")
def test_logging_out_clears_the_cookie(log_in: Login) -> None:
    viewer = log_in("viewer")
    form = form_saying(viewer.get("/logout"), "Log out")

    left = viewer.post(form.action, data=form.fields)

    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert "pagerpal_session" not in viewer.cookies
    assert viewer.get("/dashboard").status_code == 303


@says("/ Redirect")
def test_the_address_alone_leads_to_the_dashboard(log_in: Login) -> None:
    answer = log_in("viewer").get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


@says("/dashboard ")
def test_the_dashboard_shows_what_is_open(log_in: Login, incident_id: int) -> None:
    see(log_in, "/dashboard", TITLE, f"/incidents/{incident_id}")


@says("/dashboard/live")
def test_a_part_of_the_dashboard_is_loaded_again(log_in: Login, incident_id: int) -> None:
    see(log_in, "/dashboard/live", TITLE, f"/incidents/{incident_id}")

    assert "<html" not in log_in("viewer").get("/dashboard/live").text


@says("/_partials/gstrip")
def test_the_strip_with_what_is_open_is_loaded_again(log_in: Login, incident_id: int) -> None:
    see(log_in, "/_partials/gstrip", "triggered", 'id="gstrip"')

    assert "<html" not in log_in("viewer").get("/_partials/gstrip").text


@says("/on-call")
def test_the_coverage_says_who_is_on_call(log_in: Login) -> None:
    see(log_in, "/on-call", "Platform", "Bo Berg")


@says("/incidents Incident list")
def test_the_incidents_are_listed(log_in: Login, incident_id: int) -> None:
    see(log_in, "/incidents", TITLE, f'href="/incidents/{incident_id}"')


@says("/incidents/{incident_id} Incident detail")
def test_an_incident_has_its_timeline_its_notifications_and_what_can_be_done(
    log_in: Login, world: World, incident_id: int
) -> None:
    path = f"/incidents/{incident_id}"
    see(log_in, path, TITLE, "Timeline", "Notification")

    page = log_in("responder").get(path)
    for action in ("Acknowledge", "Resolve", "Escalate"):
        form_saying(page, action)
    form_saying(log_in("responder").get(f"/incidents/{world.resolved_id}"), "Reopen")
    assert not [form for form in Forms(log_in("viewer").get(path).text).found if "Acknowledge" in form.words]


@says("/teams Teams")
def test_the_teams_are_listed_and_an_admin_makes_one(log_in: Login) -> None:
    see(log_in, "/teams", "Platform")

    admin = log_in("admin")
    form_by_link_or_here(admin, "/teams", "name")


@says("/teams/{team_id} Team")
def test_a_team_shows_its_members_and_an_admin_manages_them(log_in: Login, world: World) -> None:
    path = f"/teams/{world.team_id}"
    see(log_in, path, "Platform", "Bo Berg", "Cy Castro")

    forms = Forms(log_in("admin").get(path).text).found
    assert [form for form in forms if any(name.endswith("user_id") for name in form.fields)], "nobody can be added"
    assert [form for form in forms if "Remove" in form.words], "nobody can be removed"


@says("/schedules On-call")
def test_the_schedules_are_listed(log_in: Login, world: World) -> None:
    see(log_in, "/schedules", "First line", f'href="/schedules/{world.schedule_id}"')


@says("/schedules/{schedule_id} Schedule entries.")
def test_a_schedule_shows_its_entries(log_in: Login, world: World) -> None:
    see(log_in, f"/schedules/{world.schedule_id}", "First line", "Bo Berg", "Cy Castro")


@says("/escalation-policies Escalation policies.")
def test_the_escalation_policies_are_listed(log_in: Login, world: World) -> None:
    see(log_in, "/escalation-policies", "Platform policy", f'href="/escalation-policies/{world.policy_id}"')


@says("/escalation-policies/{policy_id} Escalation policy levels.")
def test_an_escalation_policy_shows_its_levels(log_in: Login, world: World) -> None:
    see(log_in, f"/escalation-policies/{world.policy_id}", "Platform policy", "First line", "Cy Castro")


@says("/alert-sources Alert source setup")
def test_an_alert_source_is_set_up_given_another_key_and_tried(log_in: Login, world: World) -> None:
    path = f"/alert-sources/{world.source_id}"
    see(log_in, "/alert-sources", "Grafana of the shop", f'href="{path}"')
    see(log_in, path, "/api/v1/webhooks/grafana")
    admin = log_in("admin")
    page = admin.get(path)

    rotate, trial = form_saying(page, "Create a new key"), form_saying(page, "Send a test alert")
    rotated = admin.post(rotate.action, data=rotate.fields)
    tried = admin.post(trial.action, data=trial.fields, follow_redirects=True)

    assert re.search(r'<pre id="the-key"[^>]*><code>pp_', rotated.text)
    assert re.search(r'href="/incidents/\d+">incident', tried.text)


@says("/settings")
def test_settings_show_what_is_safe_and_how_the_workers_do(log_in: Login, deployment: Deployment) -> None:
    see(log_in, "/settings", "Workers", "Escalating", "PAGERPAL_PUBLIC_URL", "PAGERPAL_DATABASE_URL")

    page = log_in("admin").get("/settings").text
    assert deployment.database_url not in page
    assert list(deployment.canaries.found_in("/settings", page)) == []


@says("Configuration form posts")
def test_who_may_not_configure_or_act_is_refused_on_every_form(log_in: Login, world: World) -> None:
    viewer, responder = log_in("viewer"), log_in("responder")
    tokens = {who: form_saying(who.get("/logout"), "Log out").fields["csrf"] for who in (viewer, responder)}

    for row in TABLE:
        path = re.sub(r"\{\w+(:\w+)?\}", "999999", row.path)
        if row.method == "POST" and row.allow in {Role.RESPONDER, Role.ADMIN}:
            who = viewer if row.allow is Role.RESPONDER else responder
            answer = who.post(path, data={"csrf": tokens[who]})
            assert (answer.status_code, f"This needs the role {row.allow}" in answer.text) == (403, True), row.path
    configuring = [row for row in TABLE if row.method == "POST" and row.path.startswith(SECTIONS)]
    acting = [row for row in TABLE if row.method == "POST" and row.path.startswith("/incidents")]
    for section in SECTIONS:
        assert any(row.path.startswith(section) for row in configuring), f"no form under {section}"
    assert {row.allow for row in configuring if row.path not in ACTIONS} == {Role.ADMIN}
    assert {row.allow for row in acting} == {Role.RESPONDER}
    posted = {(row.path, row.allow) for row in TABLE if row.method == "POST"}
    reading = [row for row in TABLE if row.method == "GET" and row.path.startswith((*SECTIONS, "/incidents"))]
    for row in reading:
        assert row.allow is Role.VIEWER or (row.path, row.allow) in posted, f"{row.path} is more than a form"


@says("For browser forms, use UI routes")
def test_a_form_is_for_the_page_s_own_route_and_not_for_the_json_api(log_in: Login, world: World) -> None:
    admin = log_in("admin")
    form = form_saying(admin.get(f"/alert-sources/{world.source_id}"), "Save")
    typed = {**form.fields, "name": "Grafana of the shop"}

    raw = admin.post("/api/v1/alert-sources", data=typed)
    translated = admin.post(form.action, data=typed)
    wrong = admin.post(form.action, data={**typed, "flap_seconds": "soon"})

    assert raw.status_code == 415
    assert (translated.status_code, translated.headers["location"]) == (303, form.action)
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "text/html; charset=utf-8")


def form_by_link_or_here(who: httpx.Client, path: str, field_name: str) -> FormFound:
    """The form that makes one of what a page lists: on the page itself, or behind its link `…/new`."""
    here = who.get(path)
    pages = [here] + ([who.get(f"{path}/new")] if f'href="{path}/new"' in here.text else [])
    found = [form for page in pages for form in Forms(page.text).found if field_name in form.fields]
    assert found, f"nothing on {path} makes one"
    return found[0]
