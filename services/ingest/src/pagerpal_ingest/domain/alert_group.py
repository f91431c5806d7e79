"""What does a group of alerts say? The body that Alertmanager's webhook (versions 3 and 4) and Grafana's unified
alerting send: a list `alerts`, each with its own status, and some words about all of them.

Sources: Alertmanager `notify/webhook` and `template.Data`; Grafana's webhook documentation, "Body" and "Alert".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus

from pagerpal_ingest.domain.aliases import severity_of, status_of
from pagerpal_ingest.domain.labels import Labels, external_id, fingerprint, labels_of
from pagerpal_ingest.domain.links import link, web_address
from pagerpal_ingest.domain.lone_alert import TITLES as LONE_TITLES
from pagerpal_ingest.domain.lone_alert import read_lone_alert
from pagerpal_ingest.domain.moments import moment, news_of
from pagerpal_ingest.domain.reading import Found, Reading, Unreadable, alert_of
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import line, paragraphs, text_of

LINKS = (
    ("generatorURL", "Alert rule"),
    ("silenceURL", "Silence"),
    ("dashboardURL", "Dashboard"),
    ("panelURL", "Panel"),
    ("imageURL", "Image"),
)

TITLES = ("summary", "title")
DESCRIPTIONS = ("description", "message")
RUNBOOKS = ("runbook_url", "runbook", "runbookURL", "runbookUrl")
SEVERITIES = ("severity", "priority", "urgency", "level")

NO_DATA = {"DatasourceNoData": "No data", "DatasourceError": "Data source error"}
"""What Grafana calls the alerts about its own rules, and what a title says instead: they are alerts of their own."""

TEST_ALERT = "TestAlert"


@dataclass(frozen=True)
class Group:
    """What a body says about all of its alerts."""

    source: Source
    at: datetime
    status: AlertStatus | None
    title: str
    base_url: str
    labels: Labels
    """For alerts that have none of their own."""
    annotations: Labels


def read_group(body: Mapping[str, Any], source: Source, at: datetime) -> list[Reading]:
    """One reading per alert, in order, of a body whose `alerts` is a list."""
    group = Group(
        source=source,
        at=at,
        status=status_of(body.get("status"), body.get("state")),
        title=line(body.get("title")) or line(body.get("message")),
        base_url=web_address(body.get("externalURL")),
        labels=labels_of(body.get("groupLabels")) | labels_of(body.get("commonLabels")),
        annotations=labels_of(body.get("commonAnnotations")),
    )
    notes = _cut_off(body.get("truncatedAlerts"))
    readings: list[Reading] = []
    for entry in body["alerts"]:
        reading = _read(entry, group, notes)
        readings.append(reading)
        notes = notes if isinstance(reading, Unreadable) else ()
    return readings


def _cut_off(number: object) -> Sequence[str]:
    """What the first alert notes when there were more than the sender sends."""
    text = text_of(number)
    if not text.isdecimal() or not int(text[:18]):
        return ()
    return (f"Its sender left {text[:18]} more alerts out of this notification: look there for the rest",)


def _read(entry: object, group: Group, notes: Sequence[str]) -> Reading:
    if not isinstance(entry, Mapping):
        return Unreadable("this is no alert: it must be an object")
    labels, annotations = labels_of(entry.get("labels")), labels_of(entry.get("annotations"))
    if not labels and not annotations:
        if any(line(entry.get(name)) for name in LONE_TITLES):
            return read_lone_alert(entry, group.source, group.at, status=group.status, notes=notes)
        if external_id(entry.get("fingerprint")) is None and status_of(entry.get("status")) is None:
            return Unreadable("this alert has no labels, no annotations, and nothing else to know it by")
    found = _found(entry, labels or group.labels, annotations or group.annotations, group, notes)
    return alert_of(found, group.source, group.at)


def _found(entry: Mapping[str, Any], labels: Labels, annotations: Labels, group: Group, notes: Sequence[str]) -> Found:
    starts_at, ends_at = moment(entry.get("startsAt")), moment(entry.get("endsAt"))
    status = status_of(entry.get("status")) or _unsaid_status(entry, ends_at, group)
    title = _title(labels, annotations, group)
    return Found(
        external_id=external_id(entry.get("fingerprint")) or fingerprint(labels or {"alertname": title}),
        status=status,
        severity=severity_of(_severities(labels, annotations), group.source.default_severity),
        title=title,
        description=_description(entry, annotations),
        labels=labels,
        links=_links(entry, annotations, group.base_url),
        notes=notes,
        event_at=news_of(is_over=status is AlertStatus.RESOLVED, starts_at=starts_at, ends_at=ends_at),
        starts_at=starts_at,
        is_test=_is_test(labels, annotations),
    )


def _unsaid_status(entry: Mapping[str, Any], ends_at: datetime | None, group: Group) -> AlertStatus:
    """Of an alert that names no status we know: its group's; or it is over when its end has passed (what Prometheus
    posts has no status at all). Else it fires: somebody must look."""
    if entry.get("status") is None and group.status is not None:
        return group.status
    is_over = entry.get("status") is None and ends_at is not None and ends_at <= group.at
    return AlertStatus.RESOLVED if is_over else AlertStatus.FIRING


def _severities(labels: Labels, annotations: Labels) -> Iterator[object]:
    yield from (labels.get(name) for name in SEVERITIES)
    yield from (annotations.get(name) for name in SEVERITIES)


def _title(labels: Labels, annotations: Labels, group: Group) -> str:
    name = line(labels.get("alertname"))
    what = _first(annotations, TITLES)
    if name in NO_DATA:
        return f"{NO_DATA[name]}: {what or line(labels.get('rulename')) or name}"
    if what:
        return what
    instance = line(labels.get("instance"))
    if name:
        return f"{name} on {instance}" if instance else name
    named = ", ".join(f"{label}={value}" for label, value in labels.items())
    return _first(annotations, DESCRIPTIONS) or named or group.title or "An alert without a name"


def _description(entry: Mapping[str, Any], annotations: Labels) -> str:
    said = next((annotations[name] for name in DESCRIPTIONS if annotations.get(name)), "")
    runbook = _first(annotations, RUNBOOKS)
    known = {*TITLES, *DESCRIPTIONS, *RUNBOOKS}
    more = (f"{name}: {text}" for name, text in annotations.items() if text and name not in known and name[:2] != "__")
    return paragraphs(said, _values(entry), f"Runbook: {runbook}" if runbook else "", "\n".join(more))


def _values(entry: Mapping[str, Any]) -> str:
    values = entry.get("values")
    if isinstance(values, Mapping):
        known = ", ".join(f"{name}={_number(value)}" for name, value in values.items() if value is not None)
        if known:
            return f"Values: {text_of(known)}"
    text = line(entry.get("valueString"), 4096)
    return f"Values: {text}" if text else ""


def _number(value: object) -> str:
    if not isinstance(value, float):
        return text_of(value)
    return text_of(round(value, 4)) if abs(value) >= 0.1 else f"{value:.4g}"


def _links(entry: Mapping[str, Any], annotations: Labels, base_url: str) -> Iterator[Link | None]:
    yield from (link(annotations.get(name), "Runbook") for name in RUNBOOKS)
    yield from (link(entry.get(field), text, base_url) for field, text in LINKS)


def _is_test(labels: Labels, annotations: Labels) -> bool:
    """The "Test" button of a Grafana contact point. Its name alone is not enough: people call real alerts so."""
    is_named = labels.get("alertname", "").startswith(TEST_ALERT)
    return is_named and (labels.get("instance") == "Grafana" or annotations.get("summary") == "Notification test")


def _first(texts: Labels, names: Sequence[str]) -> str:
    return next((text for name in names if (text := line(texts.get(name)))), "")
