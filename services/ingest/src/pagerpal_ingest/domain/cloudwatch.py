"""Which alert does a message of Amazon SNS make? An alarm of CloudWatch makes one that fires and is resolved; anything
else one for information, for whoever subscribed us to its topic wanted it to be seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus, Severity

from pagerpal_ingest.domain.alarm import Alarm, Json, Metric, State, parsed, read_alarm, text
from pagerpal_ingest.domain.arn import Arn, console, parse_topic
from pagerpal_ingest.domain.choices import opens_without_data, severity_named
from pagerpal_ingest.domain.plain import first_line, identifier, labels, line, paragraphs
from pagerpal_ingest.domain.sns import Kind, SnsMessage, alert_id
from pagerpal_ingest.domain.source import Source, route

AHEAD = timedelta(minutes=5)
"""How far ahead of our clock CloudWatch's may be. Beyond that, when it happened is not believed."""

METRICS_SHOWN = 10
CHILDREN_SHOWN = 10

_COMPARISON: Mapping[str, str] = {
    "GreaterThanOrEqualToThreshold": "≥",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
    "GreaterThanUpperThreshold": "above the band",
    "LessThanLowerThreshold": "below the band",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside the band",
}

# What says best what a message of another AWS service is about, by field: its own title, then its kind.
_TITLES = ("title", "Title", "Event Message", "EventMessage", "detail-type", "Cause", "Event", "notificationType")


@dataclass(frozen=True)
class _Said:
    """What the message says, in the words of an alert."""

    external_id: str | None
    status: AlertStatus
    severity: Severity
    title: str
    description: str
    happened_at: datetime | None
    began_at: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    link: Link | None = None


def to_alert(message: SnsMessage, source: Source, *, note: str | None, at: datetime) -> Alert:
    """The alert in a message that arrived `at` with this source's key, and is believed.

    Args:
        note: what the timeline should say about its delivery.
    """
    said = _said(message, source)
    routing = route(source, source_id=None, team_id=None)
    return Alert(
        alert_id=alert_id(source, message),
        source_id=source.source_id,
        team_id=routing.team_id,
        escalation_policy_id=routing.escalation_policy_id,
        external_id=said.external_id,
        status=said.status,
        severity=said.severity,
        title=said.title,
        description=said.description,
        received_at=at,
        event_at=_believed(said.happened_at, at),
        starts_at=_believed(said.began_at, at),
        labels=said.labels,
        links=(said.link,) if said.link else (),
        note=note,
        flap_seconds=source.flap_seconds,
    )


def _said(message: SnsMessage, source: Source) -> _Said:
    if message.kind is Kind.UNSUBSCRIPTION:
        return _unsubscribed(message, source)
    content = parsed(message.text)
    alarm = read_alarm(content)
    return _information(message, content) if alarm is None else _alarmed(alarm, message, source)


def _alarmed(alarm: Alarm, message: SnsMessage, source: Source) -> _Said:
    return _Said(
        external_id=_external_id(alarm),
        status=_status(alarm.state, source),
        severity=severity_named(alarm.tags.get("severity")) or source.default_severity,
        title=line(_title(alarm)) or "CloudWatch alarm",
        description=paragraphs([alarm.description, alarm.reason, "\n".join(_facts(alarm))]),
        happened_at=alarm.changed_at or message.sent_at,
        # Of an alarm that had no data before, nobody can say whether this goes on or begins.
        began_at=alarm.changed_at if (alarm.previous, alarm.state) == (State.OK, State.ALARM) else None,
        labels=labels(_labels(alarm)),
        link=_link(alarm, alarm.arn or parse_topic(message.topic_arn)),
    )


def _information(message: SnsMessage, content: object) -> _Said:
    """It has no external id: nothing will ever say that it is over, and no two of them are the same thing."""
    fields = content if isinstance(content, dict) else {}
    detail = fields.get("detail")
    named = (text(detail, *_TITLES) if isinstance(detail, dict) else None) or text(fields, *_TITLES)
    titles = [message.subject, named, None if fields else first_line(message.text), f"Message from {_topic(message)}"]
    return _Said(
        external_id=None,
        status=AlertStatus.FIRING,
        severity=Severity.INFO,
        title=next(shown for title in titles if title and (shown := line(title))),
        description=paragraphs([message.text]),
        happened_at=message.sent_at,
        labels=labels(_topic_labels(message)),
    )


def _unsubscribed(message: SnsMessage, source: Source) -> _Said:
    """As bad as the worst alarm that will now not come. Neither Token nor SubscribeURL is shown: they are as good as a
    password for the subscription."""
    lost = f"Amazon SNS has ended this alert source's subscription to {message.topic_arn or 'its topic'}."
    advice = "Alarms sent to that topic reach PagerPal no more, until the source's URL is subscribed to it again."
    return _Said(
        external_id=identifier(f"sns-unsubscribed:{message.topic_arn or ''}"),
        status=AlertStatus.FIRING,
        severity=source.default_severity,
        title=line(f"Unsubscribed from {_topic(message)}: no more alarms"),
        description=paragraphs([lost, advice]),
        happened_at=message.sent_at,
        labels=labels(_topic_labels(message)),
    )


def _external_id(alarm: Alarm) -> str:
    """Names are unique only within an account and region. Each time series of an alarm is a thing of its own: the end
    of one must not end the incident of another."""
    which = alarm.arn_text or "/".join(part for part in (alarm.account, alarm.region, alarm.name) if part)
    return identifier(f"{which}#{alarm.contributor}" if alarm.contributor else which)


def _status(state: State, source: Source) -> AlertStatus:
    if state is State.OK:
        return AlertStatus.RESOLVED
    if state is State.ALARM or opens_without_data(source):
        return AlertStatus.FIRING
    return AlertStatus.UNKNOWN


def _believed(event_at: datetime | None, at: datetime) -> datetime | None:
    return event_at if event_at is not None and event_at <= at + AHEAD else None


def _title(alarm: Alarm) -> str:
    return f"{alarm.name} ({_listed(alarm.attributes)})" if alarm.attributes else alarm.name


def _facts(alarm: Alarm) -> Iterator[str]:
    for metric in alarm.metrics[:METRICS_SHOWN]:
        if shown := _metric(metric):
            yield f"Metric: {shown}"
    if condition := _condition(alarm.condition):
        yield f"Condition: {condition}"
    if alarm.rule:
        yield f"Rule: {alarm.rule}"
    if alarm.children:
        more = len(alarm.children) - CHILDREN_SHOWN
        names = [child.split(":alarm:", 1)[-1] for child in alarm.children[:CHILDREN_SHOWN]]
        yield f"Set off by: {', '.join(names)}{f' and {more} more' if more > 0 else ''}"
    yield f"State: {alarm.previous} → {alarm.state}" if alarm.previous else f"State: {alarm.state}"


def _metric(metric: Metric) -> str:
    if metric.expression:
        return metric.expression
    parts = [" ".join(part for part in (metric.namespace, metric.name) if part)]
    if metric.dimensions:
        parts.append(f"({_listed(metric.dimensions)})")
    if metric.statistic:
        parts.append(metric.statistic.lower() if metric.statistic.isupper() else metric.statistic)
    if metric.period:
        parts.append(f"over {metric.period} s")
    return " ".join(part for part in parts if part)


def _condition(trigger: Json) -> str | None:
    comparison = text(trigger, "ComparisonOperator")
    if comparison is None:
        return None
    shown = [_COMPARISON.get(comparison, comparison), text(trigger, "Threshold")]
    needed, periods = text(trigger, "DatapointsToAlarm"), text(trigger, "EvaluationPeriods")
    if periods:
        shown.append(f"in {needed or periods} of {periods} periods")
    return " ".join(part for part in shown if part)


def _labels(alarm: Alarm) -> Iterator[tuple[str, str | None]]:
    yield "account", alarm.account or (alarm.arn.account if alarm.arn else None)
    yield "region", alarm.region
    for metric in alarm.metrics:
        yield "namespace", metric.namespace
        yield "metric", metric.name
        yield from metric.dimensions.items()
    yield from alarm.attributes.items()
    yield from alarm.tags.items()


def _topic(message: SnsMessage) -> str:
    topic = parse_topic(message.topic_arn)
    return f"the SNS topic {topic.resource}" if topic else "Amazon SNS"


def _topic_labels(message: SnsMessage) -> Iterator[tuple[str, str | None]]:
    if topic := parse_topic(message.topic_arn):
        yield from (("account", topic.account), ("region", topic.region), ("topic", topic.resource))


def _link(alarm: Alarm, place: Arn | None) -> Link | None:
    """Built from checked parts: an address that a message gives is never offered to somebody woken at night."""
    base = console(place) if place else None
    if place is None or base is None:
        return None
    name = quote(alarm.name, safe="", errors="ignore")
    href = f"{base}/cloudwatch/home?region={place.region}#alarmsV2:alarm/{name}"
    return Link(href=href, text="Alarm in the CloudWatch console")


def _listed(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs.items())
