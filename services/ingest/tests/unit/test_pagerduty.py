"""What does an event for PagerDuty say?"""

import json
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.errors import Invalid, Unprocessable
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_ingest.domain.pagerduty import Event, addressed, alert_in, event_of
from pagerpal_ingest.domain.source import Source

from services.ingest.tests.conftest import START
from services.ingest.tests.unit.dialects import NAUGHTY, SOURCE

TRIGGER: dict[str, Any] = {
    "routing_key": "pp_key",
    "event_action": "trigger",
    "dedup_key": "samplekey",
    "client": "Sample Monitoring Service",
    "client_url": "https://monitoring.example/",
    "links": [{"href": "https://example.org/1", "text": "A runbook"}, {"href": "javascript:alert(1)"}, None],
    "images": [{"src": "https://example.org/chart.png", "href": "https://example.org/chart", "alt": "The chart"}],
    "payload": {
        "summary": "Disk full on db-1",
        "timestamp": "2015-07-17T08:42:58.315+0000",
        "source": "db-1",
        "severity": "error",
        "component": "postgres",
        "group": "prod-datapipe",
        "class": "disk",
        "custom_details": {"free space": "1%", "ping time": 1500, "nested": {"a": [1]}, "null": None},
    },
}
"""The shape of PagerDuty's documentation."""


def event(**fields: Any) -> Event:
    _, said = addressed(json.dumps({**TRIGGER, **fields}).encode())
    return event_of(said)


def alert(source: Source = SOURCE, **fields: Any) -> Alert:
    return alert_in(event(**fields), source, START)


def payload(**fields: Any) -> dict[str, Any]:
    return {**TRIGGER["payload"], **fields}


def test_the_documented_event_is_an_alert() -> None:
    found = alert()

    assert addressed(json.dumps(TRIGGER).encode()) == ("pp_key", TRIGGER)
    assert (found.external_id, found.status, found.severity) == ("samplekey", AlertStatus.FIRING, Severity.CRITICAL)
    assert found.title == "Disk full on db-1"
    assert found.description == 'free space: 1%\nping time: 1500\nnested: {"a": [1]}'
    assert found.labels == {
        "source": "db-1",
        "component": "postgres",
        "group": "prod-datapipe",
        "class": "disk",
        "client": "Sample Monitoring Service",
    }
    assert found.links == (
        Link(href="https://example.org/1", text="A runbook"),
        Link(href="https://example.org/chart", text="The chart"),
        Link(href="https://example.org/chart.png", text="The chart"),
        Link(href="https://monitoring.example/", text="Sample Monitoring Service"),
    )
    assert (found.team_id, found.escalation_policy_id, found.received_at) == (1, 5, START)


def test_events_count_in_the_order_in_which_they_come() -> None:
    assert (alert().event_at, alert().starts_at) == (None, None)


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("trigger", AlertStatus.FIRING),
        ("acknowledge", AlertStatus.ACKNOWLEDGED),
        ("resolve", AlertStatus.RESOLVED),
        (" Resolve ", AlertStatus.RESOLVED),
    ],
)
def test_every_action_is_a_status(action: str, status: AlertStatus) -> None:
    assert alert(event_action=action).status is status


def test_what_ends_an_alert_needs_no_payload() -> None:
    found = alert(event_action="resolve", payload=None, client=None, client_url=None, links=None, images=None)

    assert (found.external_id, found.title, found.links) == ("samplekey", "samplekey", ())


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("error", Severity.CRITICAL),
        ("warning", Severity.WARNING),
        ("info", Severity.INFO),
        ("WARN", Severity.WARNING),
        ("nonsense", Severity.CRITICAL),
        (None, Severity.CRITICAL),
        (3, Severity.CRITICAL),
    ],
)
def test_severities_are_mapped(given: object, severity: Severity) -> None:
    assert alert(payload=payload(severity=given)).severity is severity


def test_a_trigger_without_a_dedup_key_gets_one_of_its_own() -> None:
    first, second = event(dedup_key=None), event(dedup_key="  ")

    assert first.dedup_key != second.dedup_key
    assert alert_in(first, SOURCE, START).external_id == first.dedup_key


def test_a_dedup_key_of_any_kind_is_an_identity() -> None:
    assert alert(dedup_key=42).external_id == "42"
    assert event(dedup_key="x" * 300).dedup_key == "x" * 300
    assert alert(dedup_key="x" * 300).external_id == alert(dedup_key="x" * 300, event_action="resolve").external_id
    assert alert(dedup_key="a\0").external_id != alert(dedup_key="a").external_id


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"routing_key": None}, "routing_key"),
        ({"routing_key": " "}, "routing_key"),
        ({"event_action": None}, "event_action"),
        ({"event_action": "explode"}, "event_action"),
        ({"event_action": "acknowledge", "dedup_key": None}, "dedup_key"),
        ({"event_action": "resolve", "dedup_key": ""}, "dedup_key"),
        ({"payload": None}, "summary"),
        ({"payload": "text"}, "summary"),
        ({"payload": {"severity": "critical"}}, "summary"),
        ({"payload": {"summary": " ", "severity": "critical"}}, "summary"),
    ],
)
def test_what_is_no_event_is_refused_with_the_field_s_name(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        event(**fields)


@pytest.mark.parametrize("body", [b"", b"{", b"\0", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unprocessable):
        addressed(body)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b"5"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        addressed(body)


def test_a_missing_summary_does_not_cost_an_alert_that_says_where_it_is_from() -> None:
    assert alert(payload={"source": "db-1"}).title == "Alert from db-1"
    assert alert(payload={"component": "postgres"}).title == "Alert from postgres"


def test_the_routing_key_may_be_in_the_header_of_pagerduty_s_own_client() -> None:
    body = json.dumps({**TRIGGER, "routing_key": None}).encode()

    assert addressed(body, "pp_header")[0] == "pp_header"
    assert addressed(json.dumps(TRIGGER).encode(), "pp_header")[0] == "pp_key"


def test_details_may_name_the_team_and_be_of_any_shape() -> None:
    assert alert(payload=payload(custom_details={"team_id": "2"})).team_id == 2
    assert alert(payload=payload(custom_details={"team_id": "3"})).note is not None
    assert alert(payload=payload(custom_details="plain text")).description == "plain text"
    assert alert(payload=payload(custom_details=None)).description == ""


@pytest.mark.parametrize(
    ("details", "description"),
    [
        ([1, 2], "- 1\n- 2"),
        (["disk full: a", "b=c"], "- disk full: a\n- b=c"),
        ([None, "", "a", True, 0.5, [1, "x"]], '- a\n- true\n- 0.5\n- [1, "x"]'),
        ([{"host": "db-1", "free": 1, "db_password": "a b"}, {}], "- host: db-1, free: 1, db_password: [masked]"),
        ([], ""),
        ({"hosts": ["db-1", "db-2"]}, 'hosts: ["db-1", "db-2"]'),
    ],
)
def test_details_that_are_a_list_are_shown_as_one(details: object, description: str) -> None:
    assert alert(payload=payload(custom_details=details)).description == description


def test_the_source_s_defaults_hold() -> None:
    source = Source(7, 1, None, {"default_severity": "info", "flap_seconds": 60}, True)

    found = alert(source, payload=payload(severity="?"))

    assert (found.severity, found.flap_seconds) == (Severity.INFO, 60)


@pytest.mark.parametrize("field", ["dedup_key", "client", "client_url", "links", "images", "payload"])
def test_a_naughty_string_in_any_field_is_taken_or_refused(field: str) -> None:
    for text in NAUGHTY:
        try:
            found = alert(SOURCE, **{field: text})
        except Invalid:
            assert field == "payload"
        else:
            assert Alert.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("field", [*TRIGGER["payload"]])
def test_a_naughty_string_in_any_field_of_the_payload_is_taken(field: str) -> None:
    for text in NAUGHTY:
        found = alert(payload=payload(**{field: text}))
        assert Alert.model_validate_json(found.model_dump_json()) == found
