"""The pages of alert sources: the list, one source and its settings, and the one page that shows a key."""

import hashlib
import json
import re
from html import unescape
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import AlertResult, AlertsHandled, AlertsReceived
from pagerpal_common.errors import BusUnavailable
from pagerpal_common.ids import uuid7
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertOutcome

from .browser import Browser, browse
from .conftest import T0, Broker, Web, an_incident
from .test_incidents import insert_incident


async def a_source(web: Web, **fields: Any) -> Any:
    team = await web.a_team()
    return await web.made(
        "alert-sources", **{"team_id": team["id"], "name": "Shop", "source_type": "grafana", **fields}
    )


async def saved(web: Web, source: Any) -> Any:
    return (await web("GET", f"/api/v1/alert-sources/{source['id']}")).json()


def key_on(text: str) -> str:
    found = re.search(r'<pre id="the-key"[^>]*><code>(pp_[^<]+)</code>', text)
    assert found is not None
    return found[1]


async def test_the_list_says_how_each_source_is_doing(web: Web, rows: Rows) -> None:
    source = await a_source(web)
    await a_source(web, name="Never set up", source_type="cloudwatch")
    await rows(
        "INSERT INTO ingest.source_tallies VALUES (:source_id, :at, 'refused_key', 2), (:source_id, :at, 'opened', 7)",
        source_id=source["id"],
        at=T0,
    )

    page = await (await browse(web, "viewer")).get("/alert-sources")

    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))
    assert "Never set up CloudWatch (SNS) Platform Not heard yet never 0 0" in text
    assert "Shop Grafana Platform Refused never 0 7" in text
    assert "New alert source" not in text, "a viewer cannot make one"


async def test_many_sources_are_shown_a_page_at_a_time(web: Web, rows: Rows) -> None:
    source = await a_source(web, name="Aaa")
    await rows(
        "INSERT INTO directory.alert_sources (team_id, name, source_type, key_hash, key_first8, key_last4, is_active,"
        " created_at) SELECT :team_id, 'Source ' || n, 'generic', decode(md5(n::text), 'hex'), 'pp_12345', '6789',"
        " true, now() FROM generate_series(1, 60) n",
        team_id=source["team_id"],
    )
    admin = await browse(web)

    first, second, third = [await admin.get(f"/alert-sources?page={page}") for page in (1, 2, 3)]

    assert first.text.count('class="strong" href="/alert-sources/') == 50
    assert second.text.count('class="strong" href="/alert-sources/') == 11
    assert "Page 2 of 2" in second.text
    assert "Nothing on this page" in third.text
    assert (await admin.get("/alert-sources?page=%00")).status_code == 200


async def test_a_source_is_made_and_its_key_is_on_the_answer_and_nowhere_else(web: Web, rows: Rows) -> None:
    team, admin = await web.a_team(), await browse(web)
    form = {"name": "Shop", "source_type": "alertmanager", "team_id": team["id"]}

    answer = await admin.post("/alert-sources/new", form)

    assert answer.status_code == 201
    key = key_on(answer.text)
    assert (answer.headers["cache-control"], answer.headers.get("location")) == ("no-store", None)
    assert "set-cookie" not in answer.headers
    stored = (await rows("SELECT id, key_hash FROM directory.alert_sources"))[0]
    assert bytes(stored["key_hash"]) == hashlib.sha256(key.encode()).digest()
    for path in ("/alert-sources", f"/alert-sources/{stored['id']}", "/settings/audit", "/alert-sources/new"):
        assert key not in (await admin.get(path)).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "", "source_type": "grafana"}, "Field required"),
        ({"name": "Shop of Ana", "source_type": "nagios"}, "Input should be"),
        ({"name": "Shop of Ana", "source_type": "grafana", "team_id": "999"}, "no team 999"),
        ({"name": "N" * 256, "source_type": "grafana"}, "at most 255"),
    ],
)
async def test_what_is_wrong_with_a_new_source_is_said_and_what_was_typed_stays(
    web: Web, form: dict[str, str], said: str
) -> None:
    team, admin = await web.a_team(), await browse(web)

    answer = await admin.post("/alert-sources/new", {"team_id": team["id"], **form})

    assert answer.status_code in {400, 422}
    assert said in answer.text
    assert f'value="{form["name"]}"' in answer.text
    assert (await web("GET", "/api/v1/alert-sources")).json() == []


async def test_without_a_team_the_page_says_what_comes_first(web: Web) -> None:
    page = await (await browse(web)).get("/alert-sources/new")

    assert "No team yet" in page.text


async def test_a_new_key_replaces_the_one_before(web: Web, rows: Rows) -> None:
    source, admin = await a_source(web), await browse(web)

    answer = await admin.post(f"/alert-sources/{source['id']}/key")

    key = key_on(answer.text)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    stored = (await rows("SELECT key_hash, previous_key_hash FROM directory.alert_sources"))[0]
    assert bytes(stored["key_hash"]) == hashlib.sha256(key.encode()).digest()
    assert bytes(stored["previous_key_hash"]) == hashlib.sha256(source["api_key"].encode()).digest()
    assert "stops working within 5 seconds" in answer.text


async def test_opening_the_address_of_a_key_again_shows_none_and_makes_none(web: Web) -> None:
    source, admin = await a_source(web), await browse(web)

    answer = await admin.get(f"/alert-sources/{source['id']}/key")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/alert-sources/{source['id']}")
    assert (await saved(web, source))["masked_api_key"] == source["masked_api_key"]


async def test_a_source_is_renamed_and_configured_and_what_the_form_does_not_know_stays(web: Web) -> None:
    source = await a_source(web, config={"hmac_secret": "a-planted-hmac-secret", "hmac_header": "x-own", "own": [1]})
    other, admin = await web.a_team(), await browse(web)
    form = {"name": "New name", "default_severity": "warning", "flap_seconds": "300", "alerts_per_second": "2.5",
            "routing_team_ids": [str(other["id"])]}  # fmt: skip

    answer = await admin.post(f"/alert-sources/{source['id']}", form)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/alert-sources/{source['id']}")
    changed = await saved(web, source)
    assert changed["name"] == "New name"
    assert changed["config"] == {
        "hmac_secret": "********",
        "hmac_header": "x-own",
        "own": [1],
        "default_severity": "warning",
        "flap_seconds": 300,
        "alerts_per_second": 2.5,
        "routing_team_ids": [other["id"]],
    }


async def test_the_secret_of_a_signature_is_kept_replaced_and_taken_away(web: Web, rows: Rows) -> None:
    source = await a_source(web, config={"hmac_secret": "a-planted-hmac-secret"})
    admin, path = await browse(web), f"/alert-sources/{source['id']}"

    async def secret() -> Any:
        found = (await rows("SELECT config FROM directory.alert_sources"))[0]["config"]
        config = json.loads(found) if isinstance(found, str) else found
        return None if config is None else config.get("hmac_secret")

    page = await admin.get(path)
    assert "a-planted-hmac-secret" not in page.text
    await admin.post(path, {"name": "Shop"})
    assert await secret() == "a-planted-hmac-secret"
    refused = await admin.post(path, {"name": "Shop", "hmac_secret": "short-secret"})
    assert refused.status_code == 422
    assert "short-secret" not in refused.text
    await admin.post(path, {"name": "Shop", "hmac_secret": "another-planted-secret"})
    assert await secret() == "another-planted-secret"
    await admin.post(path, {"name": "Shop", "is_unsigned": "true"})
    assert await secret() is None


async def test_what_a_cloudwatch_source_demands_is_chosen_on_its_page(web: Web) -> None:
    source, admin = await a_source(web, source_type="cloudwatch"), await browse(web)
    arn = "arn:aws:sns:eu-west-1:123456789012:alarms"
    form = {"name": "AWS", "verify_signature": "true", "insufficient_data": "true", "topic_arns": f"{arn}\r\n{arn}2"}

    await admin.post(f"/alert-sources/{source['id']}", form)

    assert (await saved(web, source))["config"] == {
        "verify_signature": True,
        "insufficient_data": "open",
        "topic_arns": [arn, f"{arn}2"],
    }
    page = await admin.get(f"/alert-sources/{source['id']}")
    assert f"{arn}\n{arn}2</textarea>" in page.text
    await admin.post(f"/alert-sources/{source['id']}", {"name": "AWS"})
    assert (await saved(web, source))["config"] is None


@pytest.mark.parametrize(
    "form",
    [
        {"flap_seconds": "86401"},
        {"flap_seconds": "soon"},
        {"alerts_per_second": "0"},
        {"alerts_per_second": "nan"},
        {"default_severity": "fatal"},
        {"routing_team_ids": "x"},
        {"routing_team_ids": "999"},
        {"topic_arns": "alarms"},
        {"escalation_policy_id": "999"},
        {"name": ""},
    ],
)
async def test_what_does_not_fit_changes_nothing_and_stays_as_it_was_typed(web: Web, form: dict[str, str]) -> None:
    source, admin = await a_source(web, source_type="cloudwatch"), await browse(web)

    answer = await admin.post(f"/alert-sources/{source['id']}", {"name": "Typed name", **form})

    assert answer.status_code in {400, 422}
    assert 'role="alert"' in answer.text
    if "name" not in form:
        assert 'value="Typed name"' in answer.text
    assert (await saved(web, source))["name"] == "Shop"


async def test_a_source_is_switched_off_and_on_again(web: Web) -> None:
    source, admin = await a_source(web), await browse(web)
    path = f"/alert-sources/{source['id']}"

    await admin.post(f"{path}/switch", {"is_active": "false"})
    assert not (await saved(web, source))["is_active"]
    assert "Switched off" in (await admin.get(path)).text

    await admin.post(f"{path}/switch", {"is_active": "true"})
    assert (await saved(web, source))["is_active"]


async def test_a_test_alert_leads_to_its_incident(web: Web, broker: Broker) -> None:
    source, responder = await a_source(web), await browse(web, "responder")
    result = AlertResult(alert_id=uuid7(), outcome=AlertOutcome.OPENED, incident=an_incident())
    broker.answer = AlertsHandled(occurred_at=T0, results=(result,))

    answer = await responder.post(f"/alert-sources/{source['id']}/test")

    assert answer.status_code == 303
    assert isinstance(broker.asked[-1][0], AlertsReceived)
    page = await responder.get(answer.headers["location"])
    assert '<a href="/incidents/42">incident 42</a>' in page.text


async def test_a_test_alert_that_cannot_be_sent_says_why(web: Web, broker: Broker) -> None:
    source, admin = await a_source(web), await browse(web)
    path = f"/alert-sources/{source['id']}"
    broker.answer = BusUnavailable("away")
    away = await admin.post(f"{path}/test")
    await admin.post(f"{path}/switch", {"is_active": "false"})

    off = await admin.post(f"{path}/test")

    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert off.status_code == 409
    assert "is not active" in off.text


async def test_a_source_is_deleted_unless_an_incident_of_it_is_open(web: Web, rows: Rows) -> None:
    source, other, admin = await a_source(web), await a_source(web, name="Idle"), await browse(web)
    await insert_incident(rows, source_id=source["id"], team_id=source["team_id"])

    refused = await admin.post(f"/alert-sources/{source['id']}/delete")
    gone = await admin.post(f"/alert-sources/{other['id']}/delete")

    assert refused.status_code == 409
    assert "open" in refused.text
    assert (gone.status_code, gone.headers["location"]) == (303, "/alert-sources")
    assert [one["id"] for one in (await web("GET", "/api/v1/alert-sources")).json()] == [source["id"]]


async def test_health_is_said_in_words(web: Web, rows: Rows) -> None:
    source, viewer = await a_source(web), await browse(web, "viewer")
    await rows(
        "INSERT INTO ingest.source_tallies VALUES (:id, :at, 'opened', 40), (:id, :at, 'updated', 2000),"
        " (:id, :at, 'limited', 9), (:id, :at, 'refused_request', 3), (:id, :at, 'refused_key', 1)",
        id=source["id"],
        at=T0,
    )
    await rows(
        "INSERT INTO ingest.source_states (source_id, last_alert_at, skew_seconds, last_refused_at, last_refusal)"
        " VALUES (:id, :at, -125, :at, :why)",
        id=source["id"],
        at=T0,
        why="422: no <title>",
    )

    page = await viewer.get(f"/alert-sources/{source['id']}")

    text = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))
    for said in ("Alerts accepted 2,040", "Duplicates 2,000", "Refused keys 1", "Refused requests 3",
                 "Rate limited 9", "2 min 5 s behind ours", "422: no <title>", "Refused Grafana"):  # fmt: skip
        assert said in text, said
    assert "<title>" not in page.text.partition("</head>")[2]


@pytest.mark.parametrize("source_type", ["generic", "grafana", "alertmanager", "cloudwatch"])
async def test_the_snippets_have_the_place_that_the_viewer_knows_and_no_key(web: Web, source_type: str) -> None:
    source, viewer = await a_source(web, source_type=source_type), await browse(web, "viewer")

    page = await viewer.get(f"/alert-sources/{source['id']}", host="pager.example.org:8443")

    assert "http://pager.example.org:8443/" in page.text
    assert "YOUR_KEY" in page.text
    assert source["api_key"] not in page.text


async def test_snippets_cannot_be_broken_out_of_by_a_strange_host(web: Web) -> None:
    source, viewer = await a_source(web, source_type="generic"), await browse(web, "viewer")

    page = await viewer.get(f"/alert-sources/{source['id']}", host="x$(id);'\"<b>")

    assert "<b>" not in page.text
    assert "curl -sS --fail-with-body http://x$(id)" not in unescape(page.text)


def buttons(browser: Browser, text: str) -> list[str]:
    return re.findall(r'<(?:button|summary)[^>]*class="button[^"]*"[^>]*>([^<]+)<', text)


async def test_everybody_sees_the_buttons_of_their_role_alone(web: Web) -> None:
    source = await a_source(web)
    seen = {}
    for who in ("viewer", "responder", "admin"):
        browser = await browse(web, who)
        page = await browser.get(f"/alert-sources/{source['id']}")
        seen[who] = set(buttons(browser, page.text)) - {"Copy"}

    assert seen["viewer"] == set()
    assert seen["responder"] == {"Send a test alert"}
    assert {"Save", "New key", "Switch off", "Delete"} <= seen["admin"]
