"""Which alert does a message make: of every kind of alarm that CloudWatch has, and of what is none?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_ingest.domain.cloudwatch import to_alerts
from pagerpal_ingest.domain.plain import clean
from pagerpal_ingest.domain.sns import read

from services.ingest.tests.conftest import START
from services.ingest.tests.fake_amazon import TOKEN, TOPIC, confirmation, notification
from services.ingest.tests.unit.alarms import ARN, EVENT, METRIC_ALARM, alarm, alert_of, source

PIPELINE = "CodePipeline Pipeline Execution State Change"
CORPUS = Path(__file__).parents[1] / "corpus"


def corpus(name: str) -> Alert:
    return alert_of(json.loads((CORPUS / name).read_text(encoding="utf-8")))


def test_a_metric_alarm_says_all_that_a_responder_needs() -> None:
    alert = alarm(flap_seconds=300)

    assert alert.model_dump(exclude={"alert_id", "links"}, exclude_defaults=True) == {
        "source_id": 7,
        "team_id": 3,
        "escalation_policy_id": 11,
        "external_id": ARN,
        "status": AlertStatus.FIRING,
        "severity": Severity.CRITICAL,
        "title": "cpu",
        "description": (
            "Too hot\n\n"
            "Threshold Crossed: 1 datapoint [99.5] was greater than the threshold (95.0).\n\n"
            "Metric: AWS/EC2 CPUUtilization (InstanceId=i-1, Stage=prod) average over 300 s\n"
            "Condition: > 95 in 2 of 3 periods\n"
            "State: OK → ALARM"
        ),
        "received_at": START,
        "event_at": datetime(2026, 5, 21, 11, 58, 0, 123_000, UTC),
        "starts_at": datetime(2026, 5, 21, 11, 58, 0, 123_000, UTC),
        "labels": {
            "account": "123456789012",
            "region": "eu-west-1",
            "namespace": "AWS/EC2",
            "metric": "CPUUtilization",
            "InstanceId": "i-1",
            "Stage": "prod",
        },
        "flap_seconds": 300,
    }
    (link,) = alert.links
    assert link.href == "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/cpu"


def test_the_reference_s_minimal_alarm_is_known_by_its_name() -> None:
    alert = corpus("cloudwatch/seed_minimal.json")

    assert (alert.external_id, alert.status, alert.severity) == ("prod-api-cpu-high", "firing", "critical")
    assert (alert.title, alert.description) == ("prod-api-cpu-high", "CPU above threshold\n\nState: ALARM")
    assert (alert.event_at, alert.starts_at, alert.labels, alert.links) == (None, None, {}, ())


@pytest.mark.parametrize(
    ("state", "config", "status"),
    [
        ("ALARM", {}, "firing"),
        (" alarm", {}, "firing"),
        ("OK", {}, "resolved"),
        ("OK", {"insufficient_data": "open"}, "resolved"),
        ("INSUFFICIENT_DATA", {}, "unknown"),
        ("INSUFFICIENT_DATA", {"insufficient_data": "ignore"}, "unknown"),
        ("INSUFFICIENT_DATA", {"insufficient_data": "open"}, "firing"),
    ],
)
def test_each_state_has_its_meaning(state: str, config: dict[str, Any], status: str) -> None:
    assert alarm({"NewStateValue": state}, **config).status == status


@pytest.mark.parametrize(
    ("before", "after", "is_known"),
    [
        ("OK", "ALARM", True),
        ("INSUFFICIENT_DATA", "ALARM", False),
        ("ALARM", "ALARM", False),
        (None, "ALARM", False),
        ("ALARM", "OK", False),
    ],
)
def test_only_of_an_alarm_that_was_ok_is_it_known_when_it_began(before: str | None, after: str, is_known: bool) -> None:
    alert = alarm({"OldStateValue": before, "NewStateValue": after})

    assert alert.starts_at == (alert.event_at if is_known else None)


@pytest.mark.parametrize(
    ("changed", "event_at"),
    [
        (None, datetime(2026, 5, 21, 11, 59, 59, tzinfo=UTC)),
        ("soon", datetime(2026, 5, 21, 11, 59, 59, tzinfo=UTC)),
        ("2026-05-21T12:05:00.000+0000", START + timedelta(minutes=5)),
        ("2026-05-21T12:05:01.000+0000", None),
        ("2015-06-03T17:43:27.123+0000", datetime(2015, 6, 3, 17, 43, 27, 123_000, UTC)),
    ],
)
def test_when_it_happened_is_what_cloudwatch_says_unless_nobody_can_mean_it(
    changed: str | None, event_at: datetime | None
) -> None:
    assert alarm({"StateChangeTime": changed}).event_at == event_at


def test_the_owner_s_severity_holds_and_a_tag_of_the_alarm_s_own_before_it() -> None:
    assert alarm(default_severity="warning").severity is Severity.WARNING
    assert alarm({"AlarmTags": [{"Key": "severity", "Value": "Info"}]}, default_severity="warning").severity == "info"
    assert alarm({"AlarmTags": {"severity": "urgent", "team": "db"}}, default_severity="info").severity == "critical"
    assert alarm({"AlarmTags": {"severity": "dear", "team": "db"}}, default_severity="info").severity == "info"
    assert alarm({"AlarmTags": {"severity": "urgent", "team": "db"}}).labels["team"] == "db"


@pytest.mark.parametrize("name", ["severity", "Severity", " SEVERITY "])
@pytest.mark.parametrize("value", ["warning", "Warning", "warn", "P3", "Sev3 (later)"])
def test_its_tag_may_be_written_as_people_write_severities(name: str, value: str) -> None:
    assert alarm({"AlarmTags": {name: value}}).severity is Severity.WARNING


def test_names_are_qualified_when_there_is_no_arn() -> None:
    alert = corpus("sns/notification_cloudwatch_alarm_alerta.json")

    assert alert.external_id == "1234567890/EU (Ireland)/bucketbytesAlarm"
    assert alert.links[0].href.startswith("https://eu-west-1.console.aws.amazon.com/")
    assert alert.labels["BucketName"] == "try.alerta.io"


def test_a_name_that_only_the_arn_gives_is_taken_from_there() -> None:
    assert alarm({"AlarmName": None}).title == "cpu"


@pytest.mark.parametrize("field", [field for field in METRIC_ALARM if field not in {"AlarmName", "NewStateValue"}])
@pytest.mark.parametrize("value", [None, "", 5, [], {}, "x", True, [None], [{}], {"a": None}])
def test_any_field_may_be_null_or_nonsense(field: str, value: Any) -> None:
    alert = alarm({field: value})

    assert (alert.status, alert.title) == ("firing", "cpu")


@pytest.mark.parametrize("field", METRIC_ALARM["Trigger"])
@pytest.mark.parametrize("value", [None, "", -0.5, [], {}, True, [None, {}, {"name": None}], {"a": {"b": []}}])
def test_so_may_any_field_of_its_trigger(field: str, value: Any) -> None:
    assert alarm({"Trigger": {**METRIC_ALARM["Trigger"], field: value}}).external_id == ARN


def test_metric_math_shows_its_expressions_and_its_metrics() -> None:
    alert = alarm(
        {
            "Trigger": {
                "Period": 60,
                "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "Threshold": 0.05,
                "Metrics": [
                    {"Expression": "m2/m1", "Id": "e1", "Label": "Error rate", "ReturnData": True},
                    {
                        "Id": "m1",
                        "MetricStat": {
                            "Metric": {
                                "Dimensions": [{"value": "app/x/1", "name": "LoadBalancer"}],
                                "MetricName": "RequestCount",
                                "Namespace": "AWS/ApplicationELB",
                            },
                            "Period": 60,
                            "Stat": "Sum",
                        },
                        "ReturnData": False,
                    },
                ],
            }
        }
    )

    assert alert.description.endswith(
        "Metric: m2/m1\n"
        "Metric: AWS/ApplicationELB RequestCount (LoadBalancer=app/x/1) Sum over 60 s\n"
        "Condition: ≥ 0.05 in 1 of 1 periods\n"
        "State: OK → ALARM"
    )
    assert alert.labels["metric"] == "RequestCount"
    assert alert.labels["LoadBalancer"] == "app/x/1"


@pytest.mark.parametrize("state", ["ALARM", "OK"])
def test_an_anomaly_band_with_any_name_is_one_incident(state: str) -> None:
    name = "Latence élevée #1 | p99 (prod) 100%"
    arn = f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"
    trigger = {
        "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
        "ThresholdMetricId": "ad1",
        "EvaluationPeriods": 2,
        "Metrics": [{"Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Id": "ad1", "Label": "expected"}],
    }

    alert = alarm({"AlarmName": name, "AlarmArn": arn, "NewStateValue": state, "Trigger": trigger})

    assert (alert.external_id, alert.title) == (arn, name)
    assert "Condition: outside the band in 2 of 2 periods" in alert.description
    assert alert.links[0].href.endswith(
        "#alarmsV2:alarm/Latence%20%C3%A9lev%C3%A9e%20%231%20%7C%20p99%20%28prod%29%20100%25"
    )


def test_a_composite_alarm_says_what_set_it_off() -> None:
    alert = corpus("cloudwatch/message_composite_with_triggering_children.json")

    assert alert.external_id == (
        "arn:aws:cloudwatch:us-east-1:111122223333:alarm:if-sim-app_111122223333_us-east-1-test_node_monitor"
    )
    assert "\nRule: ALARM(arn:aws:cloudwatch:us-east-1:" in alert.description
    assert alert.description.endswith(
        "Set off by: if-sim-app_111122223333_us-east-1-metric_emitting_node_failure\nState: OK → ALARM"
    )


@pytest.mark.parametrize("children", [None, [], "x", [None, 5, {}], [{"Arn": None}]])
def test_a_composite_alarm_without_its_children_is_one_all_the_same(children: Any) -> None:
    alert = alarm({"Trigger": None, "AlarmRule": "ALARM(a) OR ALARM(b)", "TriggeringChildren": children})

    assert "Rule: ALARM(a) OR ALARM(b)\nState" in alert.description


def test_of_many_children_the_first_are_named_and_the_others_counted() -> None:
    children = [{"Arn": f"arn:aws:cloudwatch:eu-west-1:1:alarm:a{number}", "State": {}} for number in range(12)]

    alert = alarm({"Trigger": None, "AlarmRule": "x", "TriggeringChildren": children})

    assert "Set off by: a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 2 more\n" in alert.description


def test_each_time_series_of_an_alarm_is_an_incident_of_its_own() -> None:
    """Else the end of the first would end the incident of all the others."""
    series = [
        alarm({"AlarmContributorId": number, "AlarmContributorAttributes": {"TableName": table}})
        for number, table in (("6d442278dba546f6", "orders"), ("7e442278dba546f6", "carts"))
    ]

    assert [alert.external_id for alert in series] == [f"{ARN}#6d442278dba546f6", f"{ARN}#7e442278dba546f6"]
    assert [alert.title for alert in series] == ["cpu (TableName=orders)", "cpu (TableName=carts)"]
    assert series[0].labels["TableName"] == "orders"
    assert alarm().external_id == ARN


def test_an_alarm_by_eventbridge_is_the_same_alarm() -> None:
    alert = alert_of(notification(json.dumps(EVENT)))

    assert (alert.external_id, alert.status, alert.title) == (ARN, "firing", "cpu")
    assert alert.event_at == alert.starts_at == datetime(2026, 5, 21, 11, 58, 0, 123_000, UTC)
    assert alert.description == (
        "Too hot\n\nThreshold Crossed\n\n"
        "Metric: AWS/EC2 CPUUtilization (InstanceId=i-1) Average over 300 s\nState: OK → ALARM"
    )
    assert alert.labels == alarm({"Trigger": None}).labels | {
        "namespace": "AWS/EC2",
        "metric": "CPUUtilization",
        "InstanceId": "i-1",
    }


def test_eventbridge_says_the_end_of_it_too() -> None:
    detail = {"alarmName": "cpu", "state": {"value": "OK"}, "previousState": {"value": "ALARM"}}

    alert = alert_of(notification({**EVENT, "detail": detail}))

    assert (alert.external_id, alert.status) == (ARN, "resolved")
    assert alert.event_at == datetime(2026, 5, 21, 11, 58, 1, tzinfo=UTC)


def test_eventbridge_s_composite_alarm_says_what_set_it_off() -> None:
    data = {"triggeringAlarms": [{"arn": "arn:aws:cloudwatch:eu-west-1:1:alarm:child", "state": {"value": "ALARM"}}]}
    detail = {
        "alarmName": "all",
        "state": {"value": "ALARM", "reason": "child", "reasonData": json.dumps(data)},
        "configuration": {"alarmRule": "ALARM(child)"},
    }

    alert = alert_of({**EVENT, "detail": detail})

    assert alert.description == "child\n\nRule: ALARM(child)\nSet off by: child\nState: ALARM"


def test_eventbridge_s_time_series_is_an_incident_of_its_own() -> None:
    detail = {
        "alarmName": "cpu",
        "alarmContributor": {"id": "6d442278dba546f6", "attributes": {"TableName": "orders"}},
        "state": {"value": "ALARM", "timestamp": "2026-05-21T11:42:04.919+0000"},
        "configuration": {"metrics": [{"id": "m1", "expression": "SELECT AVG(x) FROM y", "period": 60}]},
    }

    alert = alert_of({**EVENT, "detail-type": "CloudWatch Alarm Contributor State Change", "detail": detail})

    assert (alert.external_id, alert.title) == (f"{ARN}#6d442278dba546f6", "cpu (TableName=orders)")


@pytest.mark.parametrize(
    "detail",
    [None, [], "x", {}, {"state": None}, {"state": {"value": "OK"}, "alarmName": None}, {"state": {"value": 5}}],
)
def test_an_event_that_names_no_alarm_is_for_information(detail: Any) -> None:
    event = {**EVENT, "resources": [None], "detail": detail}

    assert (alert_of(event).severity, alert_of(event).title) == ("info", "CloudWatch Alarm State Change")


def test_a_name_too_long_for_an_id_keeps_its_alarms_apart() -> None:
    names = ["é" * 254 + end for end in "ab"]

    one, two = (alarm({"AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"}) for name in names)

    assert one.external_id != two.external_id
    assert one.external_id is not None
    assert len(one.external_id) == 255


def test_half_a_character_does_not_make_an_alarm_a_mere_message() -> None:
    """AWS cuts texts anywhere, within a character beyond the first 65,536 too."""
    text = json.dumps(METRIC_ALARM).replace("Too hot", "Too hot \\ud83d")

    alert = alert_of(notification(text))

    assert (alert.status, alert.external_id) == ("firing", ARN)
    assert alert.description.startswith("Too hot\n")


@pytest.mark.parametrize(
    ("message", "subject", "title"),
    [
        ("This\nis\na typical message", "All Fine", "All Fine"),
        ("\n  This\nis\na typical message", None, "This"),
        ("An AWS Backup job was completed.", "", "An AWS Backup job was completed."),
        ('{"detail-type":"GuardDuty Finding","detail":{"title":"Port probed","severity":9}}', None, "Port probed"),
        ('{"detail-type":"Glue Job State Change","detail":{"state":"FAILED"}}', "", "Glue Job State Change"),
        ('{"Event Source":"replication-task","Event Message":"Task has stopped."}', None, "Task has stopped."),
        ('{"Progress":50,"Cause":"An instance was launched","Event":"autoscaling:LAUNCH"}', "x", "x"),
        ('{"Progress":50,"Event":"autoscaling:LAUNCH"}', None, "autoscaling:LAUNCH"),
        ('{"NewStateValue":"OK"}', None, "Message from the SNS topic alarms"),
        ('{"detailType":"CodePipeline Pipeline Execution State Change","detail":{"state":"FAILED"}}', None, PIPELINE),
        ('{"event":"ASSESSMENT_RUN_COMPLETED","target":"x"}', None, "ASSESSMENT_RUN_COMPLETED"),
        ('{"version":"1.0","source":"custom","content":{"title":"Disk full","description":"D"}}', None, "Disk full"),
        ('{"detail-type":"CodeCommit Change","detail":{"event":"referenceUpdated"}}', None, "CodeCommit Change"),
        ('"{\\"detail-type\\":\\"Twice\\"}"', None, "Twice"),
        ("[1, 2]", None, "[1, 2]"),
        ("5", None, "5"),
        (" \n ", None, "Message from the SNS topic alarms"),
        ("{" * 5000, None, "{" * 254 + "…"),
    ],
)
def test_what_is_no_alarm_is_for_information(message: str, subject: str | None, title: str) -> None:
    alert = alert_of(notification(message, Subject=subject), default_severity="critical")

    assert (alert.title, alert.severity, alert.status) == (title, "info", "firing")
    assert (alert.external_id, alert.links) == (None, ())
    assert alert.description == message.strip()
    assert alert.labels == {"account": "123456789012", "region": "eu-west-1", "topic": "alarms"}


def test_a_message_of_nobody_in_particular_is_for_information_too() -> None:
    alert = alert_of({"foo": 1})

    assert (alert.title, alert.severity, alert.event_at) == ("Message from Amazon SNS", "info", None)


def test_a_repeat_is_the_same_alert() -> None:
    assert alarm().alert_id == alarm().alert_id
    assert alarm().alert_id != alarm({"NewStateValue": "OK"}).alert_id


def test_the_end_of_the_subscription_is_as_bad_as_the_alarms_that_will_not_come() -> None:
    body = confirmation("UnsubscribeConfirmation")

    alert = alert_of(body, default_severity="warning", note="late")

    assert (alert.status, alert.severity) == ("firing", "warning")
    assert alert.external_id == f"sns-unsubscribed:{TOPIC}"
    assert alert.title == "Unsubscribed from the SNS topic alarms: no more alarms"
    assert TOPIC in alert.description
    assert alert.note == "late"
    assert TOKEN not in alert.model_dump_json()


def test_an_end_of_a_subscription_that_names_no_topic_is_one_all_the_same() -> None:
    alert = alert_of(confirmation("UnsubscribeConfirmation", TopicArn=None))

    assert alert.external_id == "sns-unsubscribed:"
    assert alert.title == "Unsubscribed from Amazon SNS: no more alarms"


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*/*.json")), ids=lambda file: file.stem)
def test_every_body_of_the_corpus_makes_an_alert(file: Path) -> None:
    for message in read(file.read_bytes(), {}):
        (alert,) = to_alerts(message, source(), note=None, at=START)

        assert alert.title
        assert Alert.model_validate_json(alert.model_dump_json()) == alert


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from([*METRIC_ALARM, *EVENT, "AlarmRule", "TriggeringChildren"]), JSON), JSON)
def test_whatever_an_alarm_s_fields_hold_an_alert_comes_of_it(changes: dict[str, Any], trigger: Any) -> None:
    for body in ({**METRIC_ALARM, "Trigger": trigger, **changes}, {**EVENT, "detail": trigger, **changes}):
        alert = alert_of(notification(json.dumps(body)))

        assert alert.title
        assert clean(alert.description) == alert.description
        assert Alert.model_validate_json(alert.model_dump_json()) == alert
