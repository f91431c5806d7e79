"""The pages of settings and of the audit log: what they show, and what they do not."""

import re

import pytest
from pagerpal_common.testing.rows import Rows
from pagerpal_web.settings import WebSettings
from pagerpal_web.ui.settings import SETTINGS

from .browser import browse
from .conftest import Broker, Web

SECRET = "a planted secret key of 32 bytes and more"


async def test_settings_show_the_work_the_checks_and_the_versions_to_anybody(web: Web) -> None:
    page = await (await browse(web, "viewer")).get("/settings")

    assert page.status_code == 200
    for said in ("Escalating", "Handing messages over", "Auditing the guarantees", "PAGERPAL_PUBLIC_URL", "Python"):
        assert said in page.text
    assert re.search(r"<b>\d{4}</b><span>Schema</span>", page.text)
    assert "has never run" in page.text, "no loop runs in this test, and the page says so"
    assert "Something is wrong" in page.text
    assert "/settings/audit" not in page.text, "only for administrators"


async def test_settings_show_no_secret_and_no_login(web: Web) -> None:
    page = await (await browse(web)).get("/settings")

    assert SECRET not in page.text
    assert "postgres" not in page.text.replace("PostgreSQL", "")
    row = re.search(r"PAGERPAL_SECRET_KEY</code>.*?Value\"><span class=\"soft\">(.*?)</span>", page.text)
    assert row is not None
    assert row[1] == "set"


def test_every_setting_of_web_is_on_the_page_and_only_the_harmless_with_their_values() -> None:
    variables = {field.alias for field in WebSettings.model_fields.values()}

    assert {setting.variable for setting in SETTINGS} == variables
    assert {setting.variable for setting in SETTINGS if setting.is_harmless} == {
        "PAGERPAL_ENV",
        "PAGERPAL_PUBLIC_URL",
        "HOST",
        "PORT",
        "PAGERPAL_METRICS_PORT",
        "PAGERPAL_EDGE_HOST",
        "PAGERPAL_TRUSTED_PROXIES",
        "PAGERPAL_AUDITOR_TEAM_ID",
        "PAGERPAL_LONG_TAIL",
    }


async def test_settings_say_that_something_is_kept_aside_and_when_the_broker_is_away(web: Web, broker: Broker) -> None:
    broker.parked_messages = 3
    admin = await browse(web)

    page = await admin.get("/settings")
    assert re.search(r"Parked messages</dt><dd>3 <span", page.text)

    broker.is_away = True
    page = await admin.get("/settings")
    assert page.status_code == 200
    assert "Actions are delayed" in page.text


async def test_the_audit_log_says_who_did_what_and_only_to_admins(web: Web) -> None:
    team = await web.a_team()
    admin, responder = await browse(web), await browse(web, "responder")

    page = await admin.get(f"/settings/audit?target_kind=team&target_id={team['id']}")

    assert page.status_code == 200
    assert f'created <a href="/teams/{team["id"]}">team Platform</a>' in page.text
    assert "Platform" in page.text
    assert (await responder.get("/settings/audit")).status_code == 403


async def test_the_audit_log_is_shown_a_page_at_a_time_with_its_filters(web: Web, rows: Rows) -> None:
    await rows(
        "INSERT INTO directory.audit_events (created_at, action, target_kind, target_id, data) "
        "SELECT now(), 'changed', 'team', n, '{}' FROM generate_series(1, 120) n"
    )
    admin = await browse(web)
    seen, path = list[str](), "/settings/audit?action=changed&target_kind=team"
    for _ in range(3):
        page = await admin.get(path)
        seen += re.findall(r"changed a deleted team \((\d+)\)", page.text)
        older = re.search(r'rel="next" href="\?([^"]+)"', page.text)
        path = "/settings/audit?" + older[1].replace("&amp;", "&") if older else ""

    assert seen == [str(number) for number in range(120, 0, -1)]
    assert path == ""


@pytest.mark.parametrize("query", ["action=nothing", "target_id=x", "after=-1", "actor_user_id=99999999999999999999"])
async def test_a_filter_that_cannot_be_is_said_beside_it(web: Web, query: str) -> None:
    page = await (await browse(web)).get(f"/settings/audit?{query}")

    assert page.status_code == 422
    assert "Audit log" in page.text


async def test_no_key_is_in_the_audit_log(web: Web) -> None:
    team = await web.a_team()
    source = await web.made("alert-sources", team_id=team["id"], name="Shop", source_type="generic",
                            config={"hmac_secret": "a-planted-hmac-secret"})  # fmt: skip

    page = await (await browse(web)).get(f"/settings/audit?target_kind=alert_source&target_id={source['id']}")

    assert "was shown a key" in page.text
    assert source["api_key"] not in page.text
    assert "a-planted-hmac-secret" not in page.text
