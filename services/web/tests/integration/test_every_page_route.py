"""Who may see and do what on the pages: each row of the table of pages, as each kind of visitor.

Rows that are new are in it by themselves: only an id that no path has had yet must be added to `a_world`.
"""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pagerpal_common.errors import BusUnavailable
from pagerpal_common.schema import metadata
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import Role
from pagerpal_web.ui import TABLE, live
from pagerpal_web.ui.pages import Page

from .browser import Browser, browse
from .conftest import Broker, Web
from .test_every_route import a_world as a_plain_world

RANK = {None: -1, Role.VIEWER: 0, Role.RESPONDER: 1, Role.ADMIN: 2}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}

NASTY = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>&amp;{{ 7 * 191 }}\\"
"""What somebody calls everything that can be called something."""

PHONE, OTHER_PHONE = "+4915112345678", "+4915187654321"
HMAC_SECRET = "a-planted-hmac-secret"

BEFORE_A_LOGIN = {"/", "/login", "/login/enter", "/login/begin"}
"""What nobody needs to be logged in for."""

STREAM = "/events"

ACTIONS = {"/alert-sources/{source_id:int}/test", "/schedules/{schedule_id:int}/cover"}
"""What a responder does there: tries whether alerts arrive, and has somebody stand in for a shift."""


def named(row: Page) -> str:
    return f"{row.method} {row.path}"


GUARDED = [row for row in TABLE if row.allow is not None]
GETS = [row for row in GUARDED if row.method == "GET"]
POSTS = [row for row in GUARDED if row.method == "POST"]
WITH_IDS = [row for row in GUARDED if "{" in row.path]


@pytest.fixture(autouse=True)
def _a_short_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one page that does not end by itself ends at once."""
    monkeypatch.setattr(live, "STREAM_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def _no_answers(broker: Broker) -> None:
    """What has come as far as the broker was let through, and changes nothing here."""
    broker.answer = BusUnavailable("nobody answers in this test")


async def a_world(web: Web, rows: Rows) -> dict[str, int]:
    """One of everything, each with a nasty name; the id that each name in a path stands for."""
    ids = await a_plain_world(web, rows)
    (feed,) = await rows(
        "INSERT INTO directory.calendar_feeds (user_id, secret_hash, created_at) "
        "VALUES (1, decode('00', 'hex'), now()) RETURNING id"
    )
    ids["feed_id"] = feed["id"]
    await web("PATCH", f"/api/v1/users/{ids['user_id']}", {"name": NASTY, "phone": PHONE})
    await web("PATCH", f"/api/v1/teams/{ids['team_id']}", {"name": NASTY, "description": NASTY})
    await web("PATCH", f"/api/v1/schedules/{ids['schedule_id']}", {"name": NASTY})
    rotation = f"/api/v1/schedules/{ids['schedule_id']}/rotations/{ids['rotation_id']}"
    await web("PATCH", rotation, {"name": NASTY})
    await web("PATCH", f"/api/v1/escalation-policies/{ids['policy_id']}", {"name": NASTY})
    source = {"name": NASTY, "config": {"hmac_secret": HMAC_SECRET, "note": NASTY}}
    await web("PATCH", f"/api/v1/alert-sources/{ids['source_id']}", source)
    await web.made(f"users/{ids['user_id']}/contact-methods", channel="sms", address=OTHER_PHONE)
    await rows(
        "UPDATE incidents.incidents SET title = :nasty, description = :nasty, external_id = :nasty, "
        "team_id = :team_id, source_id = :source_id, assigned_user_id = :user_id, acknowledged_by = :user_id",
        nasty=NASTY,
        **{name: ids[name] for name in ("team_id", "source_id", "user_id")},
    )
    await rows(
        "INSERT INTO ingest.source_states (source_id, last_alert_at, last_refused_at, last_refusal) "
        "VALUES (:source_id, now(), now(), :nasty)",
        source_id=ids["source_id"],
        nasty=NASTY,
    )
    found = await rows("SELECT id FROM directory.sessions ORDER BY id DESC LIMIT 1")
    return {**ids, "session_id": found[0]["id"] if found else 1}


def at(row: Page, world: dict[str, int]) -> str:
    """The row's path. A KeyError names an id that `a_world` does not have yet."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: str(world[found[1]]), row.path)


def at_nothing(row: Page, number: str = "999999") -> str:
    return re.sub(r"\{\w+(:\w+)?\}", number, row.path)


async def a_state(rows: Rows) -> dict[str, Any]:
    """Everything that is stored, but who has come when."""
    seen = {}
    for table in metadata.sorted_tables:
        if table.name not in {"sessions", "audit_events"}:
            query = f"SELECT count(*) AS n, md5(string_agg(t::text, '|' ORDER BY t::text)) AS m FROM {table.fullname} t"
            seen[table.fullname] = (await rows(query))[0]
    return seen


def is_page(response: httpx.Response) -> bool:
    """Whether it is one of ours, with all that goes with it."""
    is_html = response.headers.get("content-type", "").startswith("text/html")
    return is_html and {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_a_login_is_needed_for_everything_but_to_log_in() -> None:
    assert {row.path for row in TABLE if row.allow is None} == BEFORE_A_LOGIN


def test_forms_of_configuration_need_an_admin_and_actions_on_incidents_a_responder() -> None:
    """As the API reference says of UI routes."""
    sections = ("/teams", "/users", "/schedules", "/escalation-policies", "/alert-sources")
    for row in POSTS:
        if row.path.startswith("/incidents"):
            assert row.allow is Role.RESPONDER, named(row)
        elif row.path.startswith(sections) and row.path not in ACTIONS:
            assert row.allow is Role.ADMIN, named(row)


def test_no_two_rows_are_the_same() -> None:
    assert len({(row.method, row.path) for row in TABLE}) == len(TABLE)


async def test_whoever_is_not_logged_in_is_sent_to_the_login_and_nothing_is_done(web: Web, rows: Rows) -> None:
    world, nobody = await a_world(web, rows), Browser(web)
    before = await a_state(rows)

    for row in GUARDED:
        path = at(row, world)
        response = await (nobody.get(f"{path}?x=1") if row.method == "GET" else nobody.send(path, {}))

        where, _, after = response.headers["location"].partition("?")
        assert (response.status_code, where) == (303, "/login"), named(row)
        assert row.method == "POST" or after == f"next={quote(f'{path}?x=1', safe='')}", named(row)
    assert await a_state(rows) == before


async def test_only_who_may_gets_in_and_the_others_get_a_page_that_says_so(web: Web, rows: Rows) -> None:
    world = await a_world(web, rows)
    browsers = {who: await browse(web, who) for who in Role}
    before = await a_state(rows)

    for row, who in [(row, who) for row in GUARDED for who in Role if RANK[who] < RANK[row.allow]]:
        response = await send(browsers[who], row, at(row, world))

        assert response.status_code == 403, named(row)
        assert is_page(response), named(row)
        assert f"This needs the role {row.allow}. Yours is {who}." in response.text, named(row)
    assert await a_state(rows) == before


async def test_whoever_may_see_a_page_sees_it(web: Web, rows: Rows) -> None:
    world = await a_world(web, rows)
    browsers = {who: await browse(web, who) for who in Role}

    for row, who in [(row, who) for row in GETS for who in Role if RANK[who] >= RANK[row.allow]]:
        response = await browsers[who].get(at(row, world))

        if response.status_code == 303:  # where the address of a form is opened again
            response = await browsers[who].get(response.headers["location"])
        assert response.status_code == 200, (named(row), response.text)
        assert is_page(response) or row.path == STREAM, named(row)
        check_html(response.text, named(row))


async def test_every_page_can_be_read_while_the_broker_is_away_and_says_that_actions_are_delayed(
    web: Web, rows: Rows, broker: Broker
) -> None:
    world = await a_world(web, rows)
    admin = await browse(web)
    broker.is_away, broker.parked_messages = True, BusUnavailable("away")

    for row in GETS:
        response = await admin.get(at(row, world))

        assert response.status_code in {200, 303}, (named(row), response.text)
        is_whole = response.text.startswith("<!DOCTYPE html>")
        assert ("<strong>Actions are delayed.</strong>" in response.text) is is_whole, named(row)


@pytest.mark.parametrize("row", POSTS, ids=named)
async def test_a_form_with_nothing_in_it_is_answered_with_a_page(row: Page, web: Web, rows: Rows) -> None:
    world = await a_world(web, rows)

    response = await (await browse(web)).post(at(row, world))

    assert response.status_code in {200, 201, 303, 400, 404, 409, 422, 503}, response.text
    assert response.status_code == 303 or is_page(response)


async def test_a_form_that_is_not_from_this_login_does_nothing(web: Web, rows: Rows) -> None:
    world = await a_world(web, rows)
    admin = await browse(web)
    form, of_another_login = {"csrf": await admin.token()}, await (await browse(web)).token()
    before = await a_state(rows)

    for row in POSTS:
        path = at(row, world)
        for response in (
            await admin.send(path, {}),
            await admin.send(path, {"csrf": "0" * 64}),
            await admin.send(path, {"csrf": of_another_login}),
            await admin.send(path, {"csrf": "é"}),
            await admin.send(path, form, origin="https://evil.example"),
            await admin.send(path, form, origin="null"),
            await admin.send(path, form, **{"sec-fetch-site": "cross-site"}),
            await admin.send(path, form, **{"sec-fetch-site": "same-site"}),
        ):
            assert response.status_code == 403, named(row)
            assert is_page(response), named(row)
    assert await a_state(rows) == before


async def test_what_is_no_form_is_refused(web: Web, rows: Rows) -> None:
    world, admin = await a_world(web, rows), await browse(web)
    form = {"csrf": await admin.token()}
    before = await a_state(rows)

    for row in POSTS:
        response = await admin.send(at(row, world), form, **{"content-type": "text/plain"})
        assert response.status_code == 415, named(row)
    assert await a_state(rows) == before


@pytest.mark.parametrize("row", WITH_IDS, ids=named)
async def test_of_what_is_not_there_the_page_says_so(row: Page, web: Web) -> None:
    admin = await browse(web)
    for number in ("999999", "0"):
        response = await send(admin, row, at_nothing(row, number))

        if response.status_code == 303 and row.method == "GET":
            response = await admin.get(response.headers["location"])
        # An empty form may be refused for being none of the page's, before anything is looked for.
        assert response.status_code == 404 or (row.method == "POST" and response.status_code == 400), response.text
        assert is_page(response)
    for number in ("9223372036854775808", "9" * 5000):
        response = await send(admin, row, at_nothing(row, number))

        assert response.status_code == 404, "more than the database can count is no id at all"


async def test_no_page_has_a_number_or_a_key_of_somebody_else(web: Web, rows: Rows) -> None:
    world = await a_world(web, rows)
    key = (await web("POST", f"/api/v1/alert-sources/{world['source_id']}/regenerate-key")).json()["api_key"]
    browsers = {who: await browse(web, who) for who in Role}

    for row, who in [(row, who) for row in GETS for who in Role if RANK[who] >= RANK[row.allow]]:
        text = (await browsers[who].get(at(row, world))).text

        assert key not in text, named(row)
        assert HMAC_SECRET not in text, named(row)
        if who is not Role.ADMIN:  # who looks after people's numbers
            assert PHONE.lstrip("+") not in text, (named(row), who)
            assert OTHER_PHONE.lstrip("+") not in text, (named(row), who)


async def send(browser: Browser, row: Page, path: str) -> httpx.Response:
    return await (browser.get(path) if row.method == "GET" else browser.post(path))


class Elements(HTMLParser):
    """Which elements are there, with which attributes?"""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def check_html(text: str, page: str) -> None:
    """Nothing that the policy would have to stop: no markup out of a name, no script and no style but in files."""
    elements = Elements()
    elements.feed(text)
    for tag, attributes in elements.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (page, tag, attributes)
        assert tag != "style", page
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/static/"), (page, attributes)
        if tag == "img":
            assert attributes.get("src") != "x", f"{page}: a name became markup"
        for name in ("href", "src", "action"):
            assert not (attributes.get(name) or "").lower().lstrip().startswith("javascript:"), page
    ids = [attributes["id"] for _, attributes in elements.found if attributes.get("id")]
    assert len(ids) == len(set(ids)), f"{page}: two elements have the same id"
    assert "1337" not in text, f"{page}: a name was taken for a template"
    forms = text.count('method="post"')
    assert text.count('name="csrf"') >= forms, f"{page}: a form has no token"
