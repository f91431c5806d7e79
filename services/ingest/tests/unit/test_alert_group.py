"""What do Grafana's unified alerting and Alertmanager say of each alert of a group?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_ingest.domain.reading import Unreadable
from pagerpal_ingest.domain.source import Source

from services.ingest.tests.conftest import START
from services.ingest.tests.unit.dialects import CORPUS, SOURCE, delivered, firing, group, only, recorded


def test_grafana_s_documented_payload_is_an_alert_each() -> None:
    memory, cpu = recorded("grafana/docs_two_firing.json")

    assert (memory.external_id, cpu.external_id) == ("c6eadffa33fcdf37", "bc97ff14869b13e3")
    assert {memory.status, cpu.status} == {AlertStatus.FIRING}
    assert memory.title == "This alert was triggered for zone us-1"
    assert memory.description == (
        "The system has high memory usage\n\nValues: B=44.2394, C=1\n\nRunbook: https://myrunbook.com/runbook/1234"
    )
    assert memory.labels == {"alertname": "High memory usage", "team": "blue", "zone": "us-1"}
    assert [link.text for link in memory.links] == ["Runbook", "Alert rule", "Silence"]
    assert memory.links[1] == Link(href="https://play.grafana.org/alerting/1afz29v7z/edit", text="Alert rule")
    assert memory.starts_at == memory.event_at == datetime(2021, 10, 12, 7, 51, 3, 157076, tzinfo=UTC)
    assert (memory.source_id, memory.team_id, memory.escalation_policy_id) == (7, 1, 5)
    assert (memory.severity, memory.note, memory.is_test) == (Severity.CRITICAL, None, False)
    assert memory.alert_id != cpu.alert_id


def test_the_end_of_an_episode_is_newer_than_its_beginning() -> None:
    fired, over = recorded("grafana/docs_two_firing.json")[0], recorded("grafana/derived_two_resolved.json")[0]

    assert over.status is AlertStatus.RESOLVED
    assert (over.external_id, over.starts_at) == (fired.external_id, fired.starts_at)
    assert over.event_at == datetime(2021, 10, 12, 8, 21, 3, 157076, tzinfo=UTC)
    assert fired.event_at is not None
    assert over.event_at > fired.event_at


def test_alertmanager_s_payload_is_an_alert_each() -> None:
    first, second = recorded("alertmanager/oncall_example.json")

    assert (first.external_id, second.external_id) == ("f404ecabc8dd5cd7", "f8f08d4e32c61a9d")
    assert (first.title, first.severity) == ("Instance localhost:8081 down", Severity.CRITICAL)
    assert first.links == ()


def test_version_3_with_its_numeric_group_key_and_no_fingerprint_is_read() -> None:
    alert = {
        "status": "firing",
        "labels": {"__name__": "ping_success", "alertname": "failedConnect", "instance": "host2"},
        "annotations": {"description": "Connect to host2 fails", "summary": "Connect fail"},
        "startsAt": "2016-08-01T13:27:08.008+03:00",
        "endsAt": "0001-01-01T00:00:00Z",
    }

    found = only(group(alert, version="3", groupKey=5615590933959184469))

    assert (found.title, found.external_id) == ("Connect fail", "065251575ff4ffd1")
    assert found.starts_at == datetime(2016, 8, 1, 10, 27, 8, 8000, tzinfo=UTC)


def test_without_a_fingerprint_the_labels_are_the_identity() -> None:
    labels = {"alertname": "DiskFull", "instance": "db-1", "shard": 3}
    fired = only(group(firing(fingerprint=None, labels=labels)))
    over = only(group(firing(fingerprint="", labels=dict(reversed(labels.items())), annotations={}, status="resolved")))
    other = only(group(firing(fingerprint=None, labels={**labels, "instance": "db-2"})))

    assert fired.external_id == over.external_id != other.external_id


def test_an_alert_without_labels_is_known_by_its_title() -> None:
    first, second = (
        only(group(firing(labels=labels, fingerprint=None, annotations={"summary": text})))
        for labels, text in ((None, "a"), ({}, "b"))
    )

    assert first.external_id != second.external_id


@pytest.mark.parametrize(
    ("own", "of_the_group", "expected"),
    [
        ("firing", "resolved", AlertStatus.FIRING),
        ("resolved", "firing", AlertStatus.RESOLVED),
        ("Resolved ", "firing", AlertStatus.RESOLVED),
        ("ok", "alerting", AlertStatus.RESOLVED),
        ("Alerting (NoData)", None, AlertStatus.FIRING),
        ("Normal (NoData)", None, AlertStatus.RESOLVED),
        (None, "resolved", AlertStatus.RESOLVED),
        (None, "firing", AlertStatus.FIRING),
        (None, None, AlertStatus.FIRING),
        ("a word of tomorrow", "resolved", AlertStatus.FIRING),
        (5, "resolved", AlertStatus.FIRING),
        ({"state": "active", "silencedBy": []}, None, AlertStatus.FIRING),
        ({"state": "suppressed"}, None, AlertStatus.UNKNOWN),
        ("pending", "firing", AlertStatus.UNKNOWN),
        ("acknowledged", None, AlertStatus.ACKNOWLEDGED),
    ],
)
def test_each_alert_has_its_own_status(own: object, of_the_group: object, expected: AlertStatus) -> None:
    assert only(group(firing(status=own), status=of_the_group)).status is expected


def test_one_resolved_alert_in_a_group_that_fires_is_resolved() -> None:
    body = group(firing(), firing(status="resolved", fingerprint="b"), state="alerting", title="[FIRING:1]")

    assert [alert.status for alert in delivered(body).alerts] == [AlertStatus.FIRING, AlertStatus.RESOLVED]


def test_what_prometheus_posts_to_an_alertmanager_is_read_as_well() -> None:
    def posted(ends_at: datetime) -> AlertStatus:
        return only([{"labels": {"alertname": "Down"}, "endsAt": ends_at.isoformat()}]).status

    assert posted(START + timedelta(minutes=4)) is AlertStatus.FIRING
    assert posted(START) is AlertStatus.RESOLVED


@pytest.mark.parametrize(
    ("labels", "annotations", "severity"),
    [
        ({"severity": "critical"}, {}, Severity.CRITICAL),
        ({"severity": "Error"}, {}, Severity.CRITICAL),
        ({"severity": "page"}, {}, Severity.CRITICAL),
        ({"priority": "P1"}, {}, Severity.CRITICAL),
        ({"severity": "P1 - Highest"}, {}, Severity.CRITICAL),
        ({"severity": "warning"}, {}, Severity.WARNING),
        ({"severity": " WARN "}, {}, Severity.WARNING),
        ({"severity": "info"}, {}, Severity.INFO),
        ({"severity": "none"}, {}, Severity.INFO),
        ({"severity": "banana", "priority": "p4"}, {}, Severity.INFO),
        ({"severity": "3"}, {"severity": "warning"}, Severity.WARNING),
        ({"severity": 3}, {}, Severity.CRITICAL),
        ({"severity": None}, {}, Severity.CRITICAL),
        ({}, {}, Severity.CRITICAL),
    ],
)
def test_severities_have_many_names(labels: Any, annotations: Any, severity: Severity) -> None:
    assert only(group(firing(labels={"alertname": "x", **labels}, annotations=annotations))).severity is severity


@pytest.mark.parametrize(
    ("default", "severity"),
    [
        ("warning", Severity.WARNING),
        ("Warn", Severity.WARNING),
        ("nonsense", Severity.CRITICAL),
        (4, Severity.CRITICAL),
    ],
)
def test_a_source_may_have_a_severity_of_its_own_for_those_that_do_not_say(default: object, severity: Severity) -> None:
    source = Source(7, 1, None, {"default_severity": default}, True)

    assert only(group(firing()), source).severity is severity
    assert only(group(firing(labels={"severity": "info"})), source).severity is Severity.INFO


@pytest.mark.parametrize(
    ("labels", "annotations", "title"),
    [
        ({"alertname": "A", "instance": "i"}, {"summary": "Disk\n full"}, "Disk full"),
        ({"alertname": "A", "instance": "i"}, {"title": "Down", "description": "d"}, "Down"),
        ({"alertname": "A", "instance": "i"}, {"description": "d"}, "A on i"),
        ({"alertname": "A"}, None, "A"),
        ({"job": "j", "zone": 1}, None, "job=j, zone=1"),
        ({}, {"description": "Only this\nis known"}, "Only this is known"),
        ({"alertname": "A"}, {"summary": " "}, "A"),
        ({"alertname": "A"}, {"summary": "x" * 300}, "x" * 254 + "…"),
        ({"alertname": "DatasourceNoData", "rulename": "CPU"}, {}, "No data: CPU"),
        ({"alertname": "DatasourceNoData", "rulename": "CPU"}, {"summary": "CPU high"}, "No data: CPU high"),
        ({"alertname": "DatasourceError", "rulename": "CPU"}, {}, "Data source error: CPU"),
        ({"alertname": "DatasourceError"}, {}, "Data source error: DatasourceError"),
    ],
)
def test_the_title_is_the_best_there_is(labels: object, annotations: object, title: str) -> None:
    assert only(group(firing(labels=labels, annotations=annotations))).title == title


def test_alerts_about_a_rule_s_data_stay_alerts_of_their_own() -> None:
    rule = firing(labels={"alertname": "CPU"}, fingerprint="a")
    no_data = firing(labels={"alertname": "DatasourceNoData", "rulename": "CPU"}, fingerprint="b")

    first, second = delivered(group(rule, no_data)).alerts

    assert (first.external_id, second.external_id) == ("a", "b")
    assert second.labels["alertname"] == "DatasourceNoData"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"values": {"B": 44.23943737541908, "C": 1}}, "Values: B=44.2394, C=1"),
        (
            {"values": {"A": 0.000123456, "B": "12", "C": None, "D": -1234567.0}},
            "Values: A=0.0001235, B=12, D=-1234567",
        ),
        ({"values": None, "valueString": "[ metric='foo' value=10 ]"}, "Values: [ metric='foo' value=10 ]"),
        ({"values": {}, "valueString": ""}, ""),
        ({"values": "odd", "valueString": 5}, "Values: 5"),
    ],
)
def test_values_are_told(fields: dict[str, Any], line: str) -> None:
    assert only(group(firing(**fields, annotations={"summary": "s"}))).description == line


def test_annotations_of_ones_own_are_told_and_grafana_s_private_ones_are_not() -> None:
    annotations = {
        "summary": "s",
        "description": "d",
        "impact": "no checkout",
        "__dashboardUid__": "x",
        "runbook": "call",
    }

    assert only(group(firing(annotations=annotations))).description == "d\n\nRunbook: call\n\nimpact: no checkout"


def test_links_lead_to_the_web_only_and_relative_ones_to_their_grafana() -> None:
    alert = firing(
        annotations={"runbook_url": "https://runbooks.example/1"},
        generatorURL="?orgId=1",
        silenceURL="javascript:alert(1)",
        dashboardURL="http://grafana/d/x",
        panelURL="",
        imageURL=None,
    )

    with_base = only(group(alert, externalURL="http://grafana:3000/sub/"))
    without = only(group(alert, externalURL=""))

    assert [(link.text, link.href) for link in with_base.links] == [
        ("Runbook", "https://runbooks.example/1"),
        ("Alert rule", "http://grafana:3000/sub/?orgId=1"),
        ("Dashboard", "http://grafana/d/x"),
    ]
    assert [link.text for link in without.links] == ["Runbook", "Dashboard"]


def test_a_team_of_the_source_is_followed() -> None:
    alert = only(group(firing(labels={"alertname": "x", "team_id": "2"})))

    assert (alert.team_id, alert.escalation_policy_id, alert.note) == (2, None, None)


@pytest.mark.parametrize("team", ["3", 3, "payments", "-1", "9" * 40, "²", "1.0"])
def test_an_alert_for_a_foreign_team_goes_to_the_source_s_own_and_says_so(team: object) -> None:
    alert = only(group(firing(labels={"alertname": "x", "team_id": team})))

    assert (alert.team_id, alert.escalation_policy_id) == (1, 5)
    assert alert.note is not None
    assert str(team) in alert.note


@pytest.mark.parametrize("team", ["1", 1, "", None, " "])
def test_its_own_team_or_none_is_nothing_to_note(team: object) -> None:
    alert = only(group(firing(labels={"alertname": "x", "team_id": team})))

    assert (alert.team_id, alert.escalation_policy_id, alert.note) == (1, 5, None)


@pytest.mark.parametrize(
    ("labels", "annotations", "is_test"),
    [
        ({"alertname": "TestAlert", "instance": "Grafana"}, {"summary": "Notification test"}, True),
        ({"alertname": "TestAlert1", "instance": "Grafana"}, {}, True),
        ({"alertname": "TestAlert", "team": "x"}, {"summary": "Notification test"}, True),
        ({"alertname": "TestAlert"}, {"summary": "My alert summary"}, False),
        ({"alertname": "TestAlert", "instance": "db-1"}, {}, False),
        ({"alertname": "DiskFull", "instance": "Grafana"}, {}, False),
    ],
)
def test_only_grafana_s_test_button_makes_a_test(labels: Any, annotations: Any, is_test: bool) -> None:
    assert only(group(firing(labels=labels, annotations=annotations))).is_test is is_test


@pytest.mark.parametrize(("number", "is_noted"), [(12, True), ("12", True), (0, False), (None, False), (True, False)])
def test_alerts_that_the_sender_cut_off_are_noted_on_the_first(number: object, is_noted: bool) -> None:
    first, second = delivered(group({}, firing(), firing(fingerprint="b"), truncatedAlerts=number)).alerts

    assert (first.note is not None and "12 more alerts" in first.note) is is_noted
    assert second.note is None


def test_a_start_in_the_future_is_passed_on_for_incidents_to_weigh() -> None:
    alert = only(group(firing(startsAt=(START + timedelta(hours=1)).isoformat())))

    assert alert.event_at == alert.starts_at == START + timedelta(hours=1)
    assert alert.received_at == START


@pytest.mark.parametrize("starts_at", ["0001-01-01T00:00:00Z", None, "yesterday", 5, {}])
def test_an_alert_without_a_time_is_of_the_moment_it_arrives(starts_at: object) -> None:
    alert = only(group(firing(startsAt=starts_at)))

    assert (alert.event_at, alert.starts_at, alert.received_at) == (None, None, START)


def test_the_source_s_flap_time_goes_with_the_alert() -> None:
    def flap_seconds(value: object) -> int:
        return only(group(firing()), Source(7, 1, None, {"flap_seconds": value}, True)).flap_seconds

    assert [flap_seconds(value) for value in (300, -1, 10**9, "300", True, None, 1.5)] == [300, 0, 86_400, 0, 0, 0, 0]


def test_null_everywhere_is_still_an_alert() -> None:
    nothing = dict.fromkeys(firing(), None)
    body = {
        **dict.fromkeys(group(), None),
        "alerts": [{**nothing, "fingerprint": "abc"}, {**nothing, "status": "firing"}],
    }

    by_fingerprint, by_status = delivered(body).alerts

    assert (by_fingerprint.external_id, by_fingerprint.status) == ("abc", AlertStatus.FIRING)
    assert by_status.title == "An alert without a name"


def test_what_all_have_in_common_stands_in_for_what_one_lacks() -> None:
    body = group(
        {"status": "firing"},
        commonLabels={"alertname": "InstanceDown", "instance": "foobar"},
        commonAnnotations={"description": "It is down"},
    )

    alert = only(body)

    assert (alert.title, alert.description) == ("InstanceDown on foobar", "It is down")
    assert alert.labels == {"alertname": "InstanceDown", "instance": "foobar"}


def test_a_bad_entry_does_not_cost_its_neighbours() -> None:
    delivery = delivered(group(None, firing(), "x", {}, [], firing(fingerprint="b"), {"status": "?"}))

    assert [isinstance(reading, Unreadable) for reading in delivery.readings] == [
        True,
        False,
        True,
        True,
        True,
        False,
        True,
    ]
    assert [alert.external_id for alert in delivery.alerts] == ["c6eadffa33fcdf37", "b"]


def test_an_entry_in_a_shape_of_its_own_is_read_as_one() -> None:
    flat = {"name": "disk", "status": "ok", "severity": "p3", "message": "fine again"}

    alert = only(group(flat))

    assert (alert.external_id, alert.title, alert.description) == ("disk", "disk", "fine again")
    assert (alert.status, alert.severity) == (AlertStatus.RESOLVED, Severity.WARNING)


def test_there_is_no_limit_on_the_number_of_alerts() -> None:
    body = group(*(firing(fingerprint=f"{number:016x}") for number in range(5_000)))

    alerts = delivered(body).alerts

    assert len({alert.external_id for alert in alerts}) == len({alert.alert_id for alert in alerts}) == 5_000


def test_every_recorded_group_is_read_whole() -> None:
    for path in [*CORPUS.glob("grafana/*.json"), *CORPUS.glob("alertmanager/*.json")]:
        delivery = delivered(path.read_bytes())
        assert delivery.is_group
        assert len(delivery.alerts) == len(delivery.readings)
        assert all(alert.external_id and alert.title and alert.team_id == SOURCE.team_id for alert in delivery.alerts)
