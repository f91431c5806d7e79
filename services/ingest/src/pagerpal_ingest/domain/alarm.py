"""What does an alarm of CloudWatch say? The same of one that SNS delivers and of one that EventBridge does.

- SNS: `NewStateValue`, `AlarmArn`, `Trigger`, or for composite alarms `AlarmRule` and `TriggeringChildren`.
- EventBridge: `detail-type` "CloudWatch Alarm State Change", or "… Contributor State Change" (CloudWatch user guide,
  "Alarm events and EventBridge").

An alarm over many time series notifies of each alone: `AlarmContributorId` says which. Any field may be null. What can
only be an alarm is one even where its state or its name is missing: taken for a mere message, it would wake nobody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from pagerpal_ingest.domain.arn import Arn, parse_arn
from pagerpal_ingest.domain.lenient import value_at, value_in
from pagerpal_ingest.domain.sns import instant

Json = Mapping[str, Any]

_EVENTS = frozenset({"CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"})

_SUBJECT = re.compile(r'\s*(ALARM|OK|INSUFFICIENT_DATA): "(.+)" in [^"]+', re.DOTALL)

_OBJECT = re.compile(r'\{\s*"')

NOT_GIVEN = "not given"

OBJECTS_TRIED = 10
"""Places in a text at which an alarm may begin; each may cost as much as the text is long."""


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
    """Empty when nothing names it."""
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
    unread_state: str | None = None
    """What stood where its state should, when that is none; then `state` is the one to be feared."""
    is_of_subject: bool = False
    """Only the message's subject says that there is an alarm."""


@dataclass(frozen=True)
class _Subject:
    """What CloudWatch writes over its message: `ALARM: "cpu" in EU (Ireland)`. A long name ends in three dots."""

    state: State
    name: str

    def is_of(self, name: str) -> bool:
        """Whether it stands over the alarm with this name."""
        begin = self.name.removesuffix("...")
        return bool(begin) and name.startswith(begin)


def parsed(message: str) -> Any:
    """The JSON in a message, also when it was made JSON twice or thrice; None when it is none."""
    value: Any = message
    try:
        for _ in range(3):
            value = value_in(value)
            if not isinstance(value, str):
                return value
    except ValueError:
        pass
    return None


def read_alarms(message: str, subject: str | None) -> tuple[Alarm, ...]:
    """The alarms in a message: one, or several in a list; none when it is something else."""
    named = _subject(subject)
    objects = _objects_in(message)
    lone = named if len(objects) == 1 else None
    if found := tuple(alarm for content in objects if (alarm := _alarm_in(content, lone))):
        return found
    return (_of_subject(named),) if named else ()


def _objects_in(message: str) -> list[Json]:
    content = parsed(message)
    if isinstance(content, list):
        return [item for item in content if isinstance(item, dict)]
    return [content] if isinstance(content, dict) else _amid(message)


def _amid(message: str) -> list[Json]:
    """The object that is an alarm in a text that has more than that."""
    for place in islice(_OBJECT.finditer(message), OBJECTS_TRIED):
        try:
            content = value_at(message, place.start())
        except ValueError:
            continue
        if _alarm_in(content, None):
            return [content]
    return []


def _alarm_in(content: Json, subject: _Subject | None) -> Alarm | None:
    return _from_event(content) if text(content, "detail-type") in _EVENTS else _from_sns(content, subject)


def _from_sns(content: Json, subject: _Subject | None) -> Alarm | None:
    arn_text = text(content, "AlarmArn")
    arn = parse_arn(arn_text)
    said, own = text(content, "NewStateValue"), text(content, "AlarmName") or (arn.name if arn else arn_text)
    if not (own or said):
        return None
    name, state = own or (subject.name if subject else ""), _state(said)
    if state is None and subject and subject.is_of(name):
        state = subject.state
    if not _is_alarm(name, state):
        return None
    trigger = _object(content, "Trigger")
    return Alarm(
        name=name,
        state=state or State.ALARM,
        previous=_state(text(content, "OldStateValue")),
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
        unread_state=None if state else said or NOT_GIVEN,
    )


def _from_event(event: Json) -> Alarm | None:
    detail = _object(event, "detail")
    now, contributor, configuration = (_object(detail, key) for key in ("state", "alarmContributor", "configuration"))
    resources = event.get("resources")
    arn_text = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], str) else None
    arn = parse_arn(arn_text)
    said, name = text(now, "value"), text(detail, "alarmName") or (arn.name if arn else "")
    state = _state(said)
    if not _is_alarm(name, state):
        return None
    data = parsed(text(now, "reasonData") or "")
    return Alarm(
        name=name,
        state=state or State.ALARM,
        previous=_state(text(_object(detail, "previousState"), "value")),
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
        unread_state=None if state else said or NOT_GIVEN,
    )


def _of_subject(subject: _Subject) -> Alarm:
    """Nothing of it can be read, but that it is one, and which."""
    return Alarm(
        name=subject.name,
        state=subject.state,
        previous=None,
        changed_at=None,
        arn_text=None,
        arn=None,
        account=None,
        region=None,
        description=None,
        reason=None,
        is_of_subject=True,
    )


def _subject(subject: str | None) -> _Subject | None:
    found = _SUBJECT.fullmatch(subject or "")
    return _Subject(State(found[1]), found[2]) if found else None


def _is_alarm(name: str, state: State | None) -> bool:
    """What goes off is one without a name, too; without that, nobody could tell what else it is about."""
    return bool(name) or state is State.ALARM


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


def _state(said: str | None) -> State | None:
    return next((state for state in State if said is not None and state == said.upper()), None)


def _object(content: Json, name: str) -> Json:
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def _arns(value: object, name: str) -> tuple[str, ...]:
    children = value if isinstance(value, list) else []
    return tuple(arn for child in children if isinstance(child, dict) and (arn := text(child, name)))
