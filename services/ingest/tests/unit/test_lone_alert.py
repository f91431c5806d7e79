"""What do Grafana's legacy channels say, and payloads of nobody knows what shape?"""

from typing import Any

import pytest
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus, Severity

from services.ingest.tests.unit.dialects import CORPUS, delivered, only, recorded

REFERENCE = {
    "title": "RDS connection pool exhausted",
    "message": "Database connection pool is saturated",
    "state": "alerting",
    "ruleId": "rds-connection-pool",
    "labels": {"team_id": "1"},
}
"""API reference, "Grafana webhook"."""


def test_the_reference_s_example_is_read_to_the_letter() -> None:
    alert = only(REFERENCE)

    assert alert.title == "RDS connection pool exhausted"
    assert alert.description == "Database connection pool is saturated"
    assert (alert.external_id, alert.status, alert.team_id) == ("rds-connection-pool", AlertStatus.FIRING, 1)
    assert (alert.severity, alert.escalation_policy_id, alert.note) == (Severity.CRITICAL, 5, None)
    assert (alert.event_at, alert.starts_at) == (None, None)
    assert not delivered(REFERENCE).is_group


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("alerting", AlertStatus.FIRING),
        ("ok", AlertStatus.RESOLVED),
        ("no_data", AlertStatus.FIRING),
        ("paused", AlertStatus.UNKNOWN),
        ("pending", AlertStatus.UNKNOWN),
        ("unknown", AlertStatus.FIRING),
        ("a word of tomorrow", AlertStatus.FIRING),
        (None, AlertStatus.FIRING),
        (5, AlertStatus.FIRING),
    ],
)
def test_every_state_of_a_legacy_rule_has_a_meaning(state: object, status: AlertStatus) -> None:
    assert only({**REFERENCE, "state": state}).status is status


@pytest.mark.parametrize(
    ("fields", "external_id"),
    [
        ({"ruleId": 1, "ruleUrl": "http://g/d/x", "ruleName": "n"}, "1"),
        ({"ruleId": "1"}, "1"),
        ({"ruleId": 1.0}, "1"),
        ({"ruleId": 0, "title": "t"}, "t"),
        ({"ruleId": 12345678901234567890}, "12345678901234567890"),
        ({"ruleId": None, "ruleUrl": "http://g/d/x", "ruleName": "n"}, "http://g/d/x"),
        ({"ruleId": True, "ruleName": "n"}, "n"),
        ({"ruleId": [], "ruleName": "n"}, "n"),
        ({"ruleName": "n", "title": "t"}, "n"),
        ({"fingerprint": "abc", "title": "t"}, "abc"),
        ({"external_id": "mine", "title": "t"}, "mine"),
    ],
)
def test_the_rule_is_the_identity(fields: dict[str, Any], external_id: str) -> None:
    assert only({"state": "alerting", **fields}).external_id == external_id


def test_without_a_rule_the_title_is_and_its_state_is_no_part_of_it() -> None:
    states = ("", "[Alerting] ", "[OK] ", "[No Data] ", "[FIRING:1] ", "[RESOLVED] ", "[FIRING:2, RESOLVED:1] ")

    assert {only({"title": f"{state}Disk full"}).external_id for state in states} == {"Disk full"}
    assert only({"title": "[db-1] Disk full"}).external_id == "[db-1] Disk full"


def test_labels_are_an_identity_but_for_the_team_and_the_severity() -> None:
    def identity(**labels: str) -> str | None:
        return only({"title": "x", "labels": labels}).external_id

    assert identity(host="a", severity="warning", team_id="1") == identity(host="a") != identity(host="b")
    assert identity(team_id="1", severity="info") == "x"


def test_recorded_legacy_bodies_are_read() -> None:
    (fired,) = recorded("grafana_legacy/docs_example_v4_alerta.json")
    (over,) = recorded("grafana_legacy/derived_state_ok.json")
    (minimal,) = recorded("grafana_legacy/minimal_goalert.json")

    assert (fired.external_id, fired.title, fired.status) == ("1", "My alert", AlertStatus.FIRING)
    assert fired.description.endswith("spin up more webfronts\n\nrequests: 122")
    assert fired.links == (
        Link(href="http://url.to.grafana/db/dashboard/my_dashboard?panelId=2", text="Alert rule"),
        Link(href="http://s3.image.url", text="Image"),
    )
    assert (over.external_id, over.status, over.labels) == ("1", AlertStatus.RESOLVED, {"tag name": "tag value"})
    assert (minimal.title, minimal.description, minimal.links) == ("woot", "test", ())


def test_every_recorded_legacy_body_is_one_alert() -> None:
    for path in CORPUS.glob("grafana_legacy/*.json"):
        delivery = delivered(path.read_bytes())
        assert not delivery.is_group
        assert len(delivery.alerts) == 1


def test_what_the_rule_saw_is_told() -> None:
    matches = [
        {"metric": "High value", "value": 100, "tags": None},
        {"metric": "requests", "value": "122.5", "tags": {"host": "a", "dc": "b"}},
        {"metric": "gone", "value": None, "tags": ""},
        None,
        "odd",
    ]

    told = only({**REFERENCE, "message": "", "evalMatches": matches}).description

    assert told == "High value: 100\nrequests{host=a, dc=b}: 122.5\ngone: no value"
    assert only({**REFERENCE, "evalMatches": "odd"}).description == REFERENCE["message"]


@pytest.mark.parametrize(
    "tags", [{"severity": "warn", "env": "prod"}, ["severity:warn", "env=prod"], [{"key": "severity", "value": "warn"}]]
)
def test_tags_are_labels_in_whatever_form(tags: object) -> None:
    alert = only({**REFERENCE, "tags": tags})

    assert alert.labels["severity"] == "warn"
    assert alert.labels["team_id"] == "1"
    assert alert.severity is Severity.WARNING


def test_a_foreign_team_does_not_cost_the_alert() -> None:
    alert = only({**REFERENCE, "labels": {"team_id": "99"}})

    assert (alert.team_id, alert.escalation_policy_id) == (1, 5)
    assert alert.note == "Its label team_id is 99, which this source may not route to: it went to the source's own team"
    assert only({**REFERENCE, "labels": {"team_id": 2}}).team_id == 2


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({"summary": "s"}, "s"),
        ({"alertname": "a", "message": "m"}, "a"),
        ({"message": "m\nn"}, "m n"),
        ({"text": "t"}, "t"),
        ({"state": "alerting", "ruleId": 5}, "Alert 5"),
        ({"labels": {"alertname": "a"}, "status": "firing"}, "a"),
    ],
)
def test_a_template_of_ones_own_may_name_things_otherwise(body: dict[str, Any], title: str) -> None:
    assert only(body).title == title


def test_a_payload_of_our_own_format_is_read_on_this_route_as_well() -> None:
    body = {"title": "CPU", "severity": "info", "external_id": "cpu-1", "status": "resolved"}

    alert = only(body)

    assert (alert.external_id, alert.severity, alert.status) == ("cpu-1", Severity.INFO, AlertStatus.RESOLVED)
