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

from pagerpal_ingest.domain import details
from pagerpal_ingest.domain.aliases import severity_of, status_of
from pagerpal_ingest.domain.labels import Labels, external_id, fingerprint, labels_of
from pagerpal_ingest.domain.links import link, web_address
from pagerpal_ingest.domain.lone_alert import TITLES as LONE_TITLES
from pagerpal_ingest.domain.lone_alert import own_id, read_lone_alert, without_state
from pagerpal_ingest.domain.moments import moment, news_of
from pagerpal_ingest.domain.nameless import NAMELESS
from pagerpal_ingest.domain.reading import Found, Reading, Unreadable, alert_of
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import line, text_of
from pagerpal_ingest.domain.trials import is_trial

LINKS = (
    ("generatorURL", "Alert rule"),
    ("silenceURL", "Silence"),
    ("dashboardURL", "Dashboard"),
    ("panelURL", "Panel"),
    ("imageURL", "Image"),
)

NO_DATA = {"DatasourceNoData": "No data", "DatasourceError": "Data source error"}
"""What Grafana calls the alerts about its own rules, and what a title says instead: they are alerts of their own."""


@dataclass(frozen=True)
class Group:
    """What a body says about all of its alerts."""

    source: Source
    at: datetime
    status: AlertStatus | None
    title: str
    base_url: str
    key: Labels
    """The labels by which it is a group."""
    common: Labels
    """The labels that all of its alerts have just now: others tomorrow, when some are over."""
    annotations: Labels

    @property
    def labels(self) -> Labels:
        """For alerts that have none of their own."""
        return self.key | self.common


def read_group(body: Mapping[str, Any], source: Source, at: datetime) -> list[Reading]:
    """One reading per alert, in order, of a body whose `alerts` is a list."""
    group = _group(body, source, at)
    notes = _cut_off(body.get("truncatedAlerts"))
    readings: list[Reading] = []
    for entry in body["alerts"]:
        reading = _read(entry, group, notes)
        readings.append(reading)
        notes = notes if isinstance(reading, Unreadable) else ()
    return readings


def read_whole(body: Mapping[str, Any], source: Source, at: datetime) -> Reading:
    """The one alert that a body is as a whole: one without a list of them, or with a list of nothing that is known.

    What its alerts have in common is then what is known of it.
    """
    group = _group(body, source, at)
    labels = labels_of(body.get("labels")) or group.key or group.common
    annotations = group.annotations | labels_of(body.get("annotations"))
    return read_lone_alert({**body, "labels": labels, "annotations": annotations}, source, at, common=group.labels)


def _group(body: Mapping[str, Any], source: Source, at: datetime) -> Group:
    return Group(
        source=source,
        at=at,
        status=status_of(body.get("status"), body.get("state")),
        title=line(body.get("title")) or line(body.get("message")),
        base_url=web_address(body.get("externalURL")),
        key=labels_of(body.get("groupLabels")),
        common=labels_of(body.get("commonLabels")),
        annotations=labels_of(body.get("commonAnnotations")),
    )


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
    if not labels:
        if any(line(entry.get(name)) for name in LONE_TITLES):
            return read_lone_alert(entry, group.source, group.at, status=group.status, common=group.labels, notes=notes)
        if not annotations and external_id(entry.get("fingerprint")) is None and _own_status(entry) is None:
            return Unreadable("this alert has no labels, no annotations, and nothing else to know it by")
    return alert_of(_found(entry, labels, annotations, group, notes), group.source, group.at)


def _found(entry: Mapping[str, Any], own: Labels, said: Labels, group: Group, notes: Sequence[str]) -> Found:
    """`own` are its labels, and `said` its annotations, without those of the group."""
    labels, annotations = own or group.labels, said or group.annotations
    starts_at, ends_at = moment(entry.get("startsAt")), moment(entry.get("endsAt"))
    status = _own_status(entry) or _unsaid_status(entry, ends_at, group)
    title = _title(labels, annotations, group)
    return Found(
        external_id=external_id(entry.get("fingerprint")) or _identity(entry, own, said, group, title),
        status=status,
        severity=severity_of(details.severities(labels, annotations), group.source.default_severity),
        title=title,
        description=details.description(entry, annotations),
        labels=labels,
        links=_links(entry, annotations, group.base_url),
        notes=notes,
        event_at=news_of(is_over=status is AlertStatus.RESOLVED, starts_at=starts_at, ends_at=ends_at),
        starts_at=starts_at,
        is_test=is_trial(labels, annotations),
    )


def _identity(entry: Mapping[str, Any], own: Labels, said: Labels, group: Group, title: str) -> str:
    """By what an alert without a fingerprint is known: by its labels, as in Alertmanager. Without those it must neither
    become one with its neighbours, nor be known by what changes until it is over
    (`docs/decisions/0045-what-an-odd-body-is-known-by.md`)."""
    if own:
        return fingerprint(own)
    if named := own_id(entry):
        return named
    what = details.headline(said) or details.gist(said)
    if what and group.labels:
        return fingerprint((group.key or group.common) | {"summary": what})
    return fingerprint(group.labels or {"alertname": without_state(title)})


def _own_status(entry: Mapping[str, Any]) -> AlertStatus | None:
    return status_of(entry.get("status"), entry.get("state"))


def _unsaid_status(entry: Mapping[str, Any], ends_at: datetime | None, group: Group) -> AlertStatus:
    """Of an alert that names no status we know: its group's; or it is over when its end has passed (what Prometheus
    posts has no status at all). Else it fires: somebody must look."""
    is_unsaid = entry.get("status") is None and entry.get("state") is None
    if is_unsaid and group.status is not None:
        return group.status
    is_over = is_unsaid and ends_at is not None and ends_at <= group.at
    return AlertStatus.RESOLVED if is_over else AlertStatus.FIRING


def _title(labels: Labels, annotations: Labels, group: Group) -> str:
    name = line(labels.get("alertname"))
    what = details.headline(annotations)
    if name in NO_DATA:
        return f"{NO_DATA[name]}: {what or line(labels.get('rulename')) or name}"
    if what:
        return what
    instance = line(labels.get("instance"))
    if name:
        return f"{name} on {instance}" if instance else name
    named = ", ".join(f"{label}={value}" for label, value in labels.items())
    return details.gist(annotations) or named or group.title or NAMELESS


def _links(entry: Mapping[str, Any], annotations: Labels, base_url: str) -> Iterator[Link | None]:
    yield from details.runbooks(annotations)
    yield from (link(entry.get(field), text, base_url) for field, text in LINKS)
