"""What the tests of alarms share: one of each kind, and the alerts that a body makes."""

import json
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_ingest.domain.cloudwatch import to_alerts
from pagerpal_ingest.domain.sns import read
from pagerpal_ingest.domain.source import Source

from services.ingest.tests.conftest import START
from services.ingest.tests.fake_amazon import notification

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu"

METRIC_ALARM: dict[str, Any] = {
    "AlarmName": "cpu",
    "AlarmDescription": "Too hot",
    "AWSAccountId": "123456789012",
    "AlarmConfigurationUpdatedTimestamp": "2026-05-01T00:00:00.000+0000",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 datapoint [99.5] was greater than the threshold (95.0).",
    "StateChangeTime": "2026-05-21T11:58:00.123+0000",
    "Region": "EU (Ireland)",
    "AlarmArn": ARN,
    "OldStateValue": "OK",
    "OKActions": [],
    "Trigger": {
        "MetricName": "CPUUtilization",
        "Namespace": "AWS/EC2",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"value": "i-1", "name": "InstanceId"}, {"value": "prod", "name": "Stage"}],
        "Period": 300,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 95.0,
        "TreatMissingData": "",
        "EvaluateLowSampleCountPercentile": "",
    },
}

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "123456789012",
    "time": "2026-05-21T11:58:01Z",
    "region": "eu-west-1",
    "resources": [ARN],
    "detail": {
        "alarmName": "cpu",
        "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-05-21T11:58:00.123+0000"},
        "previousState": {"value": "OK", "timestamp": "2026-05-21T10:00:00.000+0000"},
        "configuration": {
            "description": "Too hot",
            "metrics": [
                {
                    "id": "m1",
                    "metricStat": {
                        "metric": {
                            "dimensions": {"InstanceId": "i-1"},
                            "name": "CPUUtilization",
                            "namespace": "AWS/EC2",
                        },
                        "period": 300,
                        "stat": "Average",
                    },
                    "returnData": True,
                }
            ],
        },
    },
}


def source(**config: Any) -> Source:
    return Source(7, 3, 11, config or None, is_active=True)


def alerts_of(body: Any, note: str | None = None, headers: dict[str, str] | None = None, **config: Any) -> list[Alert]:
    (message,) = read(body if isinstance(body, bytes) else json.dumps(body).encode(), headers or {})
    return to_alerts(message, source(**config), note=note, at=START)


def alert_of(body: Any, note: str | None = None, headers: dict[str, str] | None = None, **config: Any) -> Alert:
    (alert,) = alerts_of(body, note, headers, **config)
    return alert


def alarm(changes: dict[str, Any] | None = None, **config: Any) -> Alert:
    return alert_of(notification(json.dumps({**METRIC_ALARM, **(changes or {})})), **config)
