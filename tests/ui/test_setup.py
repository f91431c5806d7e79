"""Does what the pages say to copy really work? Each snippet is done as its reader would do it."""

import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]
from botocore.session import get_session
from playwright.sync_api import expect

from tests.e2e.alertmanager import Alertmanager, AlertmanagerMissing
from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, Deployment
from tests.ui.conftest import PHONE, Open
from tests.ui.test_every_page import check
from tests.ui.world import World

CORPUS = Path(__file__).parents[2] / "services/ingest/tests/corpus"
PATIENCE_SECONDS = 60.0

Snippets = dict[str, str]
Made = Callable[[str], tuple[int, Snippets]]


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> Iterator[httpx.Client]:
    """The admin, in a browser without JavaScript."""
    with httpx.Client(base_url=deployment.url, timeout=20) as client:
        client.post("/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).raise_for_status()
        yield client


@pytest.fixture
def made(operator: httpx.Client, world: World) -> Made:
    """Makes an alert source of a type by the form: its id, and the snippets of the page with its key."""

    def make(source_type: str) -> tuple[int, Snippets]:
        name = f"Set up as {source_type}"
        token = re.search(r'name="csrf" value="(\w+)"', operator.get("/alert-sources/new").text)
        assert token is not None
        form = {"csrf": token[1], "name": name, "source_type": source_type, "team_id": world.team_id}
        answer = operator.post("/alert-sources/new", data=form)
        assert answer.status_code == 201, answer.text
        number = re.search(r'href="/alert-sources/(\d+)"', answer.text)
        assert number is not None
        return int(number[1]), snippets_on(answer.text)

    return make


def snippets_on(text: str) -> Snippets:
    found = re.findall(r'<pre id="([\w-]+)"[^>]*><code>(.*?)</code></pre>', text, re.DOTALL)
    return {name: unescape(snippet) for name, snippet in found}


def run(command: str) -> Any:
    """As somebody who has copied it into a shell; what it prints."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def incidents_of(operator: httpx.Client, source_id: int) -> list[Any]:
    items = operator.get("/api/v1/incidents?page_size=200").json()["items"]
    return [incident for incident in items if incident["source_id"] == source_id]


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def test_curl_opens_an_incident_and_curl_resolves_it(made: Made, operator: httpx.Client) -> None:
    source_id, snippets = made("generic")

    opened = run(snippets["snippet-curl"])
    assert (opened["status"], opened["source_id"], opened["severity"]) == ("triggered", source_id, "critical")

    resolved = run(snippets["snippet-curl-resolve"])
    assert (resolved["id"], resolved["status"]) == (opened["id"], "resolved")


@pytest.mark.parametrize("source_type", ["generic", "grafana", "alertmanager", "cloudwatch"])
def test_the_pagerduty_event_opens_an_incident_whatever_the_type(
    made: Made, operator: httpx.Client, source_type: str
) -> None:
    source_id, snippets = made(source_type)

    answer = run(snippets["snippet-pagerduty"])

    assert (answer["status"], answer["dedup_key"]) == ("success", "backup-orders-db")
    (incident,) = until(lambda: incidents_of(operator, source_id), "no incident")
    assert incident["title"] == "Backup of orders-db failed"


def test_a_real_alertmanager_takes_the_receiver_and_pages_by_it(
    made: Made, operator: httpx.Client, deployment: Deployment, tmp_path: Path
) -> None:
    source_id, snippets = made("alertmanager")
    (receiver,) = yaml.safe_load(snippets["snippet-alertmanager"])["receivers"]
    assert receiver.pop("name") == "pagerpal"
    try:
        alertmanager = Alertmanager(tmp_path / "alertmanager", receiver)
    except AlertmanagerMissing as error:
        pytest.skip(f"NOT RUN: no Alertmanager: {error}")
    since = deployment.clock.now()
    labels = {"alertname": "DiskFull", "instance": "db-1", "severity": "critical"}

    alertmanager.start()
    try:
        alertmanager.fire(labels, since=since, summary="Disk full on db-1")
        (incident,) = until(lambda: incidents_of(operator, source_id), "no incident")
        assert (incident["title"], incident["status"]) == ("Disk full on db-1", "triggered")

        alertmanager.end(labels, since=since, at=deployment.clock.now(), summary="Disk full on db-1")
        until(lambda: incidents_of(operator, source_id)[0]["status"] == "resolved", "it is not resolved")
    finally:
        alertmanager.stop()


def test_grafana_s_file_says_what_grafana_reads_and_posting_as_it_says_opens_incidents(made: Made) -> None:
    """Names as of "Provision contact points" in Grafana's documentation, and its webhook's settings."""
    _, snippets = made("grafana")
    document = yaml.safe_load(snippets["snippet-grafana"])
    (point,) = document["contactPoints"]
    (receiver,) = point["receivers"]
    settings = receiver["settings"]
    assert (document["apiVersion"], point["orgId"], receiver["type"]) == (1, 1, "webhook")
    assert receiver["disableResolveMessage"] is False
    assert set(settings) == {"url", "httpMethod", "authorization_scheme", "authorization_credentials"}
    assert settings["url"] == snippets["snippet-grafana-url"]
    assert settings["authorization_credentials"] == snippets["snippet-grafana-key"] == snippets["the-key"]

    headers = {"Authorization": f"{settings['authorization_scheme']} {settings['authorization_credentials']}"}
    body = (CORPUS / "grafana/docs_two_firing.json").read_bytes()
    answer = httpx.request(settings["httpMethod"], settings["url"], content=body, headers=headers, timeout=20)

    assert answer.status_code == 201
    assert len(answer.json()["incidents"]) == 2


def options_of(command: str) -> tuple[list[str], dict[str, str]]:
    """The words of a command, and its options."""
    words = shlex.split(command.replace("\\\n", ""))
    first = next(place for place, word in enumerate(words) if word.startswith("--"))
    names, values = words[first::2], words[first + 1 :: 2]
    return words[:first], {name.removeprefix("--"): value for name, value in zip(names, values, strict=True)}


def parameters(service: str, operation: str, options: dict[str, str]) -> dict[str, Any]:
    """What the AWS CLI makes of options, by the model of AWS's API: numbers and lists where it has them.

    `sns subscribe` alone calls one differently: `--notification-endpoint` (AWS CLI reference).
    """
    shape = get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    members = shape.members
    renamed = {"notification-endpoint": "endpoint"} if operation == "Subscribe" else {}
    by_option = {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): name for name in members}
    kinds: dict[str, Callable[[str], Any]] = {"integer": int, "double": float, "list": lambda word: [word]}
    found = {}
    for option, value in options.items():
        name = by_option[renamed.get(option, option).replace("ok-", "o-k-", 1)]
        found[name] = kinds.get(members[name].type_name, str)(value)
    return found


def test_the_sns_subscription_is_one_and_what_comes_by_it_opens_and_resolves(
    made: Made, deployment: Deployment
) -> None:
    source_id, snippets = made("cloudwatch")

    words, options = options_of(snippets["snippet-sns"])

    assert words == ["aws", "sns", "subscribe"]
    asked = parameters("sns", "Subscribe", options)
    assert asked == {"TopicArn": options["topic-arn"], "Protocol": "http", "Endpoint": snippets["snippet-sns-url"]}
    for state, status in (("ALARM", "triggered"), ("OK", "resolved")):
        alarm = {"AlarmName": "prod-api-cpu-high", "NewStateValue": state, "NewStateReason": "x", "Trigger": {}}
        body = {
            "Type": "Notification",
            "MessageId": f"{source_id}-{state}",
            "TopicArn": asked["TopicArn"],
            "Message": json.dumps(alarm),
            "Timestamp": deployment.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        answer = httpx.post(asked["Endpoint"], content=json.dumps(body), headers={"Content-Type": "text/plain"})
        assert answer.is_success, answer.text
        assert answer.json()["status"] == status


def test_the_alarm_is_one_that_notifies_the_topic_of_both_its_states(made: Made) -> None:
    _, snippets = made("cloudwatch")

    words, options = options_of(snippets["snippet-cloudwatch"])

    assert words == ["aws", "cloudwatch", "put-metric-alarm"]
    asked = parameters("cloudwatch", "PutMetricAlarm", options)
    topic = options_of(snippets["snippet-sns"])[1]["topic-arn"]
    assert asked["AlarmActions"] == asked["OKActions"] == [topic]
    assert (asked["Period"], asked["Threshold"]) == (60, 95.0)


def test_a_source_is_set_up_in_the_browser_and_its_key_copied(open_page: Open, deployment: Deployment) -> None:
    page = open_page("/alert-sources", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="New alert source").click()
    page.get_by_label("Name").fill("Made in the browser")
    page.get_by_label("Type").select_option("generic")
    page.get_by_role("button", name="Create and show the key").click()

    expect(page.get_by_role("heading", name="The alert source is ready")).to_be_visible()
    check(page, "alert-source-key-desk-light")
    page.set_viewport_size(PHONE)
    check(page, "alert-source-key-phone-light")
    key = page.locator("#the-key").text_content() or ""
    page.locator("[data-copy=the-key]").click()
    expect(page.locator("[data-copy=the-key]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == key
    assert key not in page.url
    assert key not in str(page.context.cookies())
    answer = httpx.post(
        f"{deployment.url}/api/v1/alerts", json={"title": "It works", "severity": "info"}, headers={"X-API-Key": key}
    )
    assert answer.status_code == 201

    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", name="Made in the browser")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(key)


def test_a_new_key_is_asked_for_twice_and_the_old_one_ends(open_page: Open, made: Made, deployment: Deployment) -> None:
    source_id, snippets = made("generic")
    page = open_page(f"/alert-sources/{source_id}")
    button = page.get_by_role("button", name="Create a new key")
    expect(button).to_be_hidden()

    page.locator("summary", has_text="New key").click()
    button.click()

    expect(page.get_by_role("heading", name="The new key")).to_be_visible()
    key = page.locator("#the-key").text_content() or ""
    run(snippets_on(page.content())["snippet-curl"])

    def is_refused() -> bool:
        sent = httpx.post(
            f"{deployment.url}/api/v1/alerts",
            json={"title": "x", "severity": "info"},
            headers={"X-API-Key": snippets["the-key"]},
        )
        return sent.status_code == 403

    until(is_refused, "the old key goes on working")
    assert key != snippets["the-key"]


def test_a_test_alert_leads_to_its_incident(open_page: Open, world: World) -> None:
    page = open_page(f"/alert-sources/{world.source_id}", who=world.email, password="a-long-password-of-somebody")

    page.get_by_role("button", name="Send a test alert").click()

    expect(page.get_by_role("status").filter(has_text="test alert")).to_be_visible()
    assert page.get_by_role("link", name=re.compile(r"^incident \d+$")).get_attribute("href")


def test_a_source_is_switched_off_without_javascript(open_page: Open, made: Made) -> None:
    source_id, _ = made("generic")
    page = open_page(f"/alert-sources/{source_id}", java_script_enabled=False)

    page.locator("summary", has_text="Switch off").click()
    page.get_by_role("button", name="Switch it off").click()

    expect(page.get_by_text("Switched off: its alerts are refused from now on.")).to_be_visible()
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
