"""Which alert does a message of Amazon SNS make? An alarm of CloudWatch makes one that fires and is resolved; anything
else one for information, for whoever subscribed us to its topic wanted it to be seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus, Severity

from pagerpal_ingest.domain.alarm import Alarm, Json, Metric, State, parsed, read_alarms, text
from pagerpal_ingest.domain.aliases import severity_of
from pagerpal_ingest.domain.arn import Arn, console, parse_topic
from pagerpal_ingest.domain.choices import opens_without_data
from pagerpal_ingest.domain.plain import first_line, identifier, labels, line, paragraphs
from pagerpal_ingest.domain.sns import Kind, SnsMessage, alert_id
from pagerpal_ingest.domain.sns_secrets import without_credentials
from pagerpal_ingest.domain.source import Source, route

AHEAD = timedelta(minutes=5)
"""How far ahead of our clock CloudWatch's may be. Beyond that, when it happened is not believed."""

ALARMS_LIMIT = 100
"""Alarms in one message. CloudWatch tells of one at a time."""

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

# What says best what a message of another AWS service is about, by field: its own title, then its kind. EventBridge has
# the event itself in `detail`, Amazon Q a message of one's own in `content`; `detailType` is CodePipeline's, `event`
# Inspector's, `notificationType` and `eventType` SES's.
_INNER = ("detail", "content")
_INNER_TITLES = ("title", "Title", "Event Message", "EventMessage", "Cause", "Event", "notificationType")
_TITLES = (
    *("title", "Title", "Event Message", "EventMessage", "detail-type", "detailType"),
    *("Cause", "Event", "event", "notificationType", "eventType"),
)


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


def to_alerts(message: SnsMessage, source: Source, *, note: str | None, at: datetime) -> list[Alert]:
    """The alerts in a message that arrived `at` with this source's key, and is believed: one, or one for each alarm.

    Args:
        note: what the timeline should say about its delivery.
    """
    if message.kind is Kind.UNSUBSCRIPTION:
        said, number = [_unsubscribed(message, source)], 1
    elif alarms := read_alarms(message.text, message.subject):
        said, number = [_alarmed(alarm, message, source) for alarm in alarms[:ALARMS_LIMIT]], len(alarms)
    else:
        said, number = [_information(message)], 1
    left = f"Its message names {number} alarms, of which the first {ALARMS_LIMIT} are taken"
    notes = [note, message.note, left if number > ALARMS_LIMIT else None]
    told = ". ".join(one for one in notes if one) or None
    return [_alert(one, message, source, number=index, note=told, at=at) for index, one in enumerate(said)]


def _alert(said: _Said, message: SnsMessage, source: Source, *, number: int, note: str | None, at: datetime) -> Alert:
    routing = route(source, source_id=None, team_id=None)
    is_dated, is_named = said.happened_at is not None, said.external_id is not None
    return Alert(
        alert_id=alert_id(source, message, at, is_dated=is_dated, is_named=is_named, number=number),
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


def _alarmed(alarm: Alarm, message: SnsMessage, source: Source) -> _Said:
    unread = without_credentials(message.text) if alarm.is_of_subject else None
    goes_off = (alarm.previous, alarm.state) == (State.OK, State.ALARM) and alarm.unread_state is None
    tagged = [value for name, value in alarm.tags.items() if name.strip().lower() == "severity"]
    return _Said(
        external_id=_external_id(alarm),
        status=_status(alarm.state, source),
        severity=severity_of(tagged, source.default_severity),
        title=line(_title(alarm)) or line(message.subject or "") or "CloudWatch alarm",
        description=paragraphs([unread, alarm.description, alarm.reason, "\n".join(_facts(alarm))]),
        happened_at=alarm.changed_at or message.sent_at,
        # Of an alarm that had no data before, nobody can say whether this goes on or begins.
        began_at=alarm.changed_at if goes_off else None,
        labels=labels(_labels(alarm)),
        link=_link(alarm, alarm.arn or parse_topic(message.topic_arn)),
    )


def _information(message: SnsMessage) -> _Said:
    """It has no external id: nothing will ever say that it is over, and no two of them are the same thing."""
    content, shown = parsed(message.text), without_credentials(message.text)
    fields = content if isinstance(content, dict) else {}
    titles = [message.subject, _named(fields), None if fields else first_line(shown), f"Message from {_topic(message)}"]
    return _Said(
        external_id=None,
        status=AlertStatus.FIRING,
        severity=Severity.INFO,
        title=next(found for title in titles if title and (found := line(title))),
        description=paragraphs([shown]),
        happened_at=message.sent_at,
        labels=labels(_topic_labels(message)),
    )


def _named(fields: Json) -> str | None:
    for name in _INNER:
        inner = fields.get(name)
        if isinstance(inner, dict) and (title := text(inner, *_INNER_TITLES)):
            return title
    return text(fields, *_TITLES)


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


def _external_id(alarm: Alarm) -> str | None:
    """Names are unique only within an account and region. Each time series of an alarm is a thing of its own: the end
    of one must not end the incident of another. What has no name must not be ended by what has none either."""
    if not alarm.name:
        return None
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
    state = f"{alarm.unread_state}, taken as {alarm.state}" if alarm.unread_state else alarm.state
    yield f"State: {alarm.previous} → {state}" if alarm.previous else f"State: {state}"


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
    if place is None or base is None or not alarm.name:
        return None
    name = quote(alarm.name, safe="", errors="ignore")
    href = f"{base}/cloudwatch/home?region={place.region}#alarmsV2:alarm/{name}"
    return Link(href=href, text="Alarm in the CloudWatch console")


def _listed(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs.items())
