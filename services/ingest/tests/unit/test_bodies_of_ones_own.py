"""Which alert is it, when a body is neither a group as Grafana and Alertmanager send it nor a legacy one to the letter?
(`docs/decisions/0045-what-an-odd-body-is-known-by.md`)
"""

from typing import Any

import pytest
from pagerpal_common.errors import Unprocessable
from pagerpal_common.vocabulary import AlertStatus, Severity

from services.ingest.tests.unit.dialects import delivered, firing, group, only

DB2 = {
    "title": "[Alerting] DB2 down",
    "state": "alerting",
    "ruleId": "r-lb",
    "labels": {"team_id": "1"},
    "annotations": {},
}


def test_a_rule_that_has_labels_and_annotations_is_still_itself() -> None:
    fired, over, other = (
        only({**DB2, **fields})
        for fields in ({}, {"state": "ok", "title": "[OK] DB2 down"}, {"ruleId": "r-lc", "title": "[Alerting] DB3"})
    )

    assert (fired.external_id, fired.title, fired.status) == ("r-lb", "[Alerting] DB2 down", AlertStatus.FIRING)
    assert (over.external_id, over.status) == ("r-lb", AlertStatus.RESOLVED)
    assert (other.external_id, other.title) == ("r-lc", "[Alerting] DB3")


def test_a_title_of_its_own_is_neither_lost_nor_common_to_others() -> None:
    def named(title: str) -> Any:
        return only({"title": title, "labels": {"team_id": "2"}, "annotations": {"a": "b"}, "status": "firing"})

    first, second = named("A"), named("B")

    assert (first.title, second.title, first.team_id) == ("A", "B", 2)
    assert first.external_id != second.external_id


def test_a_state_of_its_own_is_believed() -> None:
    body = {"state": "Normal", "labels": {"alertname": "S1"}, "annotations": {"summary": "x"}, "fingerprint": "f"}

    alert = only(body)

    assert (alert.external_id, alert.title, alert.status) == ("f", "x", AlertStatus.RESOLVED)


def test_whatever_a_lone_alert_tells_beside_its_title_is_told() -> None:
    alert = only(
        firing(
            title="Down",
            message="since noon",
            values={"A": 1},
            annotations={"summary": "Disk full", "impact": "no checkout", "severity": "warning", "runbook": "call"},
            silenceURL="http://g/silence",
        )
    )

    assert (alert.title, alert.severity) == ("Down", Severity.WARNING)
    assert alert.external_id == "c6eadffa33fcdf37"
    for told in ("since noon", "Disk full", "Values: A=1", "Runbook: call", "impact: no checkout"):
        assert told in alert.description
    assert [link.text for link in alert.links] == ["Silence"]


@pytest.mark.parametrize(
    ("state", "status"), [("Normal", AlertStatus.RESOLVED), ("alerting", AlertStatus.FIRING), ("x", AlertStatus.FIRING)]
)
def test_an_alert_of_a_group_may_say_state_for_status(state: str, status: AlertStatus) -> None:
    body = {"alerts": [{"state": state, "labels": {"alertname": "S1"}, "annotations": {}, "fingerprint": "f"}]}

    assert only(body).status is status
    assert only({**body, "status": "resolved"}).status is status


def test_of_status_and_state_in_a_group_the_first_that_is_known_counts() -> None:
    assert only(group(firing(status="firing", state="ok"))).status is AlertStatus.FIRING
    assert only(group(firing(status="of tomorrow", state="ok"))).status is AlertStatus.RESOLVED


@pytest.mark.parametrize(
    ("body", "title", "told"),
    [
        (
            {"title": "DB down", "state": "alerting", "status": "firing", "alerts": [{"host": "db1", "value": 1}]},
            "DB down",
            "host=db1, value=1",
        ),
        ({"title": "DB down", "status": "firing", "alerts": ["db1 down", "db2 down"]}, "DB down", "db1 down\ndb2 down"),
        ({"status": "firing", "commonLabels": {"alertname": "CommonX"}, "alerts": [{}]}, "CommonX", ""),
        ({"status": "firing", "groupLabels": {"alertname": "G", "job": "j"}, "alerts": [None]}, "G", ""),
        ({"alert_name": "DiskX", "host": "h", "status": "firing"}, "DiskX", "host: h"),
        ({"rule_name": "DiskX", "status": "firing"}, "DiskX", ""),
        ({"what": "disk", "host": "h", "value": 93.5, "status": "firing"}, "what=disk, host=h", "value: 93.5"),
        ({"event": {"kind": "x"}, "status": "firing"}, "event.kind=x", ""),
        ({"status": "firing"}, "An alert without a name", ""),
        ({"alerts": [None, {"labels": {}}], "status": "firing"}, "An alert without a name", ""),
    ],
)
def test_a_firing_that_is_stated_wakes_whatever_else_can_be_read(body: dict[str, Any], title: str, told: str) -> None:
    delivery = delivered(body)

    (alert,) = delivery.alerts
    assert (alert.status, alert.title) == (AlertStatus.FIRING, title)
    assert told in alert.description
    assert not delivery.is_group
    assert len(delivery.readings) == 1


@pytest.mark.parametrize(
    ("fired", "over"),
    [
        (
            {"title": "DB down", "status": "firing", "alerts": [{"host": "db1", "value": 1}]},
            {"title": "DB down", "status": "resolved", "alerts": [{"host": "db1", "value": 0}]},
        ),
        (
            {"title": "[FIRING:2] DB down", "state": "alerting", "alerts": ["db1 down", "db2 down"]},
            {"title": "[RESOLVED] DB down", "state": "ok", "alerts": ["db1 up"]},
        ),
        (
            {
                "status": "firing",
                "groupLabels": {"alertname": "G"},
                "commonLabels": {"alertname": "G", "severity": "info"},
                "alerts": [{}, {}],
            },
            {
                "status": "resolved",
                "groupLabels": {"alertname": "G"},
                "commonLabels": {"alertname": "G", "severity": "info", "instance": "i"},
                "alerts": [{}],
            },
        ),
        ({"alert_name": "X", "host": "h", "status": "firing"}, {"alert_name": "X", "host": "h", "status": "resolved"}),
        (
            {"what": "disk", "host": "h", "value": 93, "at": "2026-05-21T11:50:00Z", "status": "firing"},
            {"what": "disk", "host": "h", "value": 12, "at": "2026-05-21T12:50:00Z", "status": "ok"},
        ),
        (
            {"status": "firing", "alerts": [{"Status": "firing", "Labels": {"alertname": "A"}, "Value": "80 %"}]},
            {"status": "resolved", "alerts": [{"Status": "resolved", "Labels": {"alertname": "A"}, "Value": "12 %"}]},
        ),
        ({"status": "firing"}, {"status": "resolved"}),
    ],
)
def test_its_own_end_finds_it(fired: dict[str, Any], over: dict[str, Any]) -> None:
    opened, ended = only(fired), only(over)

    assert (opened.status, ended.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert opened.external_id == ended.external_id


@pytest.mark.parametrize("where", ["password", "X-Auth-Token", "api_key", "client_secret", "note"])
@pytest.mark.parametrize("named", [{}, {"alert_name": "DiskX"}, {"title": "t", "alerts": [1]}])
def test_no_secret_is_told_for_want_of_better_words(where: str, named: dict[str, Any]) -> None:
    secret = "pp_" + "k" * 43 if where == "note" else "hunter2"
    inner = {"host": "h", where: secret, "deep": {where: secret}}
    listed = {"alerts": [{"x": inner}]} if "alerts" in named else {}

    alert = only({"status": "firing", **named, **inner, "more": inner, **listed})

    assert secret not in f"{alert.title} {alert.description} {alert.external_id}"


def test_what_a_stated_firing_has_tells_it_from_others() -> None:
    ids = {only({"what": what, "host": host, "status": "firing"}).external_id for what in "ab" for host in "cd"}

    assert len(ids) == 4


def test_the_severity_and_the_team_that_a_group_has_in_common_hold_for_its_body_too() -> None:
    common = {"alertname": "CommonX", "severity": "warning", "team_id": "2"}

    alert = only({"status": "firing", "groupLabels": {"alertname": "CommonX"}, "commonLabels": common, "alerts": [{}]})

    assert (alert.severity, alert.team_id, alert.labels) == (Severity.WARNING, 2, common)


@pytest.mark.parametrize(
    "body", [{"what": "disk"}, {"alerts": [{"host": "a"}]}, {"alerts": ["x"], "version": "4"}, [1]]
)
def test_what_neither_has_a_name_nor_states_a_firing_is_refused(body: object) -> None:
    with pytest.raises(Unprocessable):
        delivered(body)


def test_alerts_without_labels_are_told_apart_by_their_summaries_and_each_has_its_own_end() -> None:
    def said(status: str, summary: str, **common: str) -> dict[str, Any]:
        entry = {"status": status, "annotations": {"summary": summary, "description": f"{status} at 93 %"}}
        return group(entry, groupLabels={"alertname": "C"}, commonLabels={"alertname": "C", **common})

    both = group(
        *({"status": "firing", "annotations": {"summary": text, "description": "firing at 80 %"}} for text in "AB"),
        groupLabels={"alertname": "C"},
        commonLabels={"alertname": "C"},
    )

    first, second = delivered(both).alerts

    assert first.external_id != second.external_id
    assert first.labels == {"alertname": "C"}
    assert only(said("resolved", "A", instance="i")).external_id == first.external_id
    assert only(said("resolved", "B", instance="j")).external_id == second.external_id


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ({"annotations": {"description": "A"}}, {"annotations": {"description": "B"}}),
        ({"annotations": {"title": "A"}}, {"annotations": {"title": "B"}}),
        ({"annotations": {"x": "y"}, "ruleId": 1}, {"annotations": {"x": "y"}, "ruleId": 2}),
        ({"title": "A", "annotations": {"x": "y"}}, {"title": "B", "annotations": {"x": "y"}}),
    ],
)
def test_whatever_else_tells_them_apart_does(own: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = delivered(group(own, other, commonLabels={"alertname": "C"})).alerts

    assert first.external_id != second.external_id


TEST_BUTTON = {
    "evalMatches": [{"value": 100, "metric": "High value", "tags": None}],
    "message": "Someone is testing the alert notification within Grafana.",
    "ruleId": 0,
    "ruleName": "Test notification",
    "ruleUrl": "http://grafana/",
    "state": "alerting",
    "title": "[Alerting] Test notification",
}
"""Grafana 6 to 8, `pkg/services/alerting/test_notification.go`."""


@pytest.mark.parametrize("rule", [0, 5577006791947779410, "0", None])
def test_legacy_grafana_s_test_button_makes_a_test(rule: object) -> None:
    alert = only({**TEST_BUTTON, "ruleId": rule})

    assert (alert.is_test, alert.title) == (True, "[Alerting] Test notification")
    assert alert.external_id == "grafana-test-notification"


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "Someone is testing"},
        {"message": "m"},
        {"ruleName": "DB down", "title": "DB down"},
        {"ruleName": None, "title": "[Alerting] DB down"},
    ],
)
def test_what_only_resembles_a_test_wakes_somebody(fields: dict[str, Any]) -> None:
    assert not only({**TEST_BUTTON, **fields}).is_test


def test_a_test_of_unified_alerting_is_one_by_itself_as_well() -> None:
    labels = {"alertname": "TestAlert", "instance": "Grafana"}

    assert only({"title": "[FIRING:1] TestAlert", "status": "firing", "labels": labels}).is_test


@pytest.mark.parametrize("rule", [0, 0.0])
def test_a_rule_without_a_number_is_known_by_its_name(rule: object) -> None:
    ids = {only({"ruleId": rule, "ruleName": name, "state": "alerting"}).external_id for name in ("a", "b")}

    assert ids == {"a", "b"}
    assert only({"ruleId": rule, "state": "alerting"}).external_id != "0"
