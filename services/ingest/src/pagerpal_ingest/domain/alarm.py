"""What does an alarm of CloudWatch say? The same of one that SNS delivers and of one that EventBridge does.

- SNS: `NewStateValue`, `AlarmArn`, `Trigger`, or for composite alarms `AlarmRule` and `TriggeringChildren`.
- EventBridge: `detail-type` "CloudWatch Alarm State Change", or "… Contributor State Change" (CloudWatch user guide,
  "Alarm events and EventBridge").

An alarm over many time series notifies of each alone: `AlarmContributorId` says which. Any field may be null.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pagerpal_ingest.domain.arn import Arn, parse_arn
from pagerpal_ingest.domain.sns import instant

Json = Mapping[str, Any]

_EVENTS = frozenset({"CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"})


class State(StrEnum):
    """The three states of an alarm."""

    ALARM = "ALARM"
    OK = "OK"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Metric:
    """A time series that an alarm watches, or an expression over several."""

    namespace: str | None
    name: str | None
    dimensions: Mapping[str, str]
    statistic: str | None
    period: str | None
    """Seconds."""
    expression: str | None = None


@dataclass(frozen=True)
class Alarm:
    """A change of an alarm's state."""

    name: str
    state: State
    previous: State | None
    changed_at: datetime | None
    arn_text: str | None
    arn: Arn | None
    """None when `arn_text` is missing, or no real ARN."""
    account: str | None
    region: str | None
    """Its code, `eu-west-1`; or only its name, `EU (Ireland)`."""
    description: str | None
    reason: str | None
    contributor: str | None = None
    """The id of the one time series that this is about."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What distinguishes that series from the others."""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    condition: Json = field(default_factory=dict)
    """The trigger: its comparison, threshold and periods."""
    rule: str | None = None
    children: tuple[str, ...] = ()
    """The ARNs of the alarms that set a composite one off."""


def parsed(message: str) -> Any:
    """The JSON in a message; None when it is none."""
    try:
        return json.loads(message)  # which, unlike stricter readers, forgives a character that AWS has cut in half
    except (ValueError, RecursionError):
        return None


def read_alarm(content: object) -> Alarm | None:
    """The alarm in a message's JSON; None when it is something else."""
    if not isinstance(content, dict):
        return None
    if text(content, "detail-type") in _EVENTS:
        return _from_event(content)
    return _from_sns(content)


def _from_sns(content: Json) -> Alarm | None:
    state, name, arn_text = _state(content, "NewStateValue"), text(content, "AlarmName"), text(content, "AlarmArn")
    arn = parse_arn(arn_text)
    name = name or (arn.name if arn else arn_text)
    if state is None or name is None:
        return None
    trigger = _object(content, "Trigger")
    return Alarm(
        name=name,
        state=state,
        previous=_state(content, "OldStateValue"),
        changed_at=instant(content.get("StateChangeTime")),
        arn_text=arn_text,
        arn=arn,
        account=text(content, "AWSAccountId"),
        region=arn.region if arn else text(content, "Region"),
        description=text(content, "AlarmDescription"),
        reason=text(content, "NewStateReason"),
        contributor=text(content, "AlarmContributorId"),
        attributes=pairs(content.get("AlarmContributorAttributes")),
        tags=pairs(content.get("AlarmTags")),
        metrics=tuple(_metrics(trigger)),
        condition=trigger,
        rule=text(content, "AlarmRule"),
        children=_arns(content.get("TriggeringChildren"), "Arn"),
    )


def _from_event(event: Json) -> Alarm | None:
    detail = _object(event, "detail")
    now, contributor, configuration = (_object(detail, key) for key in ("state", "alarmContributor", "configuration"))
    resources = event.get("resources")
    arn_text = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], str) else None
    arn = parse_arn(arn_text)
    state, name = _state(now, "value"), text(detail, "alarmName") or (arn.name if arn else None)
    if state is None or name is None:
        return None
    data = parsed(text(now, "reasonData") or "")
    return Alarm(
        name=name,
        state=state,
        previous=_state(_object(detail, "previousState"), "value"),
        changed_at=instant(now.get("timestamp")) or instant(event.get("time")),
        arn_text=arn_text,
        arn=arn,
        account=text(event, "account"),
        region=arn.region if arn else text(event, "region"),
        description=text(configuration, "description"),
        reason=text(now, "reason"),
        contributor=text(contributor, "id"),
        attributes=pairs(contributor.get("attributes")),
        tags=pairs(detail.get("alarmTags")),
        metrics=tuple(_metrics(configuration)),
        rule=text(configuration, "alarmRule"),
        children=_arns(data.get("triggeringAlarms") if isinstance(data, dict) else None, "arn"),
    )


def _metrics(trigger: Json) -> Iterator[Metric]:
    """One metric in the trigger itself, or a list of metrics and of expressions over them."""
    if text(trigger, "MetricName") or text(trigger, "Namespace"):
        yield _metric(trigger, trigger)
    listed = trigger.get("Metrics") or trigger.get("metrics")
    for query in listed if isinstance(listed, list) else []:
        if isinstance(query, dict):
            stat = _object(query, "MetricStat") or _object(query, "metricStat")
            yield _metric(_object(stat, "Metric") or _object(stat, "metric"), {**query, **stat})


def _metric(metric: Json, measured: Json) -> Metric:
    return Metric(
        namespace=text(metric, "Namespace", "namespace"),
        name=text(metric, "MetricName", "name"),
        dimensions=pairs(metric.get("Dimensions") or metric.get("dimensions")),
        statistic=text(measured, "Statistic", "ExtendedStatistic", "Stat", "stat"),
        period=text(measured, "Period", "period"),
        expression=text(measured, "Expression", "expression"),
    )


def text(content: Json, *names: str) -> str | None:
    """The first of these fields that says something, as a text; numbers are as good as texts."""
    for name in names:
        value = content.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return None


def pairs(value: object) -> dict[str, str]:
    """Names and values, however they are written: an object, or a list of objects with a name and a value each."""
    if isinstance(value, dict):
        return {name: shown for name in value if (shown := text(value, name))}
    found = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and (name := text(item, "name", "Name", "key", "Key")):
            found[name] = text(item, "value", "Value") or ""
    return found


def _state(content: Json, name: str) -> State | None:
    value = text(content, name)
    return next((state for state in State if value is not None and state == value.strip().upper()), None)


def _object(content: Json, name: str) -> Json:
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def _arns(value: object, name: str) -> tuple[str, ...]:
    children = value if isinstance(value, list) else []
    return tuple(arn for child in children if isinstance(child, dict) and (arn := text(child, name)))
