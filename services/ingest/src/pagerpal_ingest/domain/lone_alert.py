"""What does a single alert in an unknown shape say? Grafana's legacy notification channels (version 8 and older), and
whatever a custom payload template makes.

Source of the legacy shape: API reference, "Grafana webhook"; Grafana 8 documentation, "Alert notifications: Webhook".
Every field may be missing; a field that somebody could recognise the alert by is enough.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus

from pagerpal_ingest.domain.aliases import severity_of, status_of
from pagerpal_ingest.domain.labels import Labels, external_id, fingerprint, labels_of
from pagerpal_ingest.domain.links import link, web_address
from pagerpal_ingest.domain.moments import moment, news_of
from pagerpal_ingest.domain.reading import Found, Reading, Unreadable, alert_of
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import line, paragraphs, text_of

IDS = ("ruleId", "fingerprint", "external_id", "externalId", "dedup_key", "alert_id", "alertId", "ruleUID", "ruleUrl")
"""What its sender knows an alert by, the best first. Not `id`: that may be the notification's."""

NAMES = ("ruleName", "alertname", "alertName", "name")
TITLES = ("title", "summary", *NAMES, "subject", "message", "text", "description")
TEXTS = ("message", "description", "text", "body", "details")
STATES = ("state", "status")
SEVERITIES = ("severity", "priority", "urgency", "level")
LINKS = (
    ("ruleUrl", "Alert rule"),
    ("generatorURL", "Alert rule"),
    ("dashboardURL", "Dashboard"),
    ("imageUrl", "Image"),
)

NOT_AN_IDENTITY = frozenset({"team_id", "severity", "priority"})
"""Labels that say where to send an alert and how bad it is, not what it is about."""

_STATE_PREFIX = re.compile(r"^\s*\[[^\]]*\]\s*")


def read_lone_alert(
    body: Mapping[str, Any],
    source: Source,
    at: datetime,
    *,
    status: AlertStatus | None = None,
    notes: Sequence[str] = (),
) -> Reading:
    """The alert in an object; `status` is for one that does not say.

    `no_data` fires: nobody may sleep through a dead sensor. `paused` and `pending` neither fire nor are over.
    """
    labels = labels_of(body.get("tags")) | labels_of(body.get("labels"))
    name = _external_id(body, labels)
    title = next((text for field in TITLES if (text := line(body.get(field)))), "")
    if name is None:
        return Unreadable("it has no alerts, and neither a title nor anything else to know an alert by")
    status = status_of(*(body.get(field) for field in STATES)) or status or AlertStatus.FIRING
    starts_at, ends_at = moment(body.get("startsAt")), moment(body.get("endsAt"))
    found = Found(
        external_id=name,
        status=status,
        severity=severity_of(_severities(body, labels), source.default_severity),
        title=title or line(labels.get("alertname")) or f"Alert {name}",
        description=_description(body, title),
        labels=labels,
        links=_links(body),
        notes=notes,
        event_at=news_of(is_over=status is AlertStatus.RESOLVED, starts_at=starts_at, ends_at=ends_at),
        starts_at=starts_at,
    )
    return alert_of(found, source, at)


def _external_id(body: Mapping[str, Any], labels: Labels) -> str | None:
    for field in IDS:
        if not isinstance(body.get(field), bool | Mapping | list) and (found := external_id(body.get(field))):
            return found
    for field in NAMES:
        if found := external_id(body.get(field)):
            return found
    if identity := {name: value for name, value in labels.items() if name not in NOT_AN_IDENTITY}:
        return fingerprint(identity)
    # "[Alerting] Disk full" and "[OK] Disk full" are about the same.
    texts = (_STATE_PREFIX.sub("", text_of(body.get(field))) for field in TITLES)
    return next((found for text in texts if (found := external_id(text.strip()))), None)


def _severities(body: Mapping[str, Any], labels: Labels) -> Iterator[object]:
    yield from (labels.get(name) for name in SEVERITIES)
    yield from (body.get(name) for name in SEVERITIES)


def _description(body: Mapping[str, Any], title: str) -> str:
    said = next((text for field in TEXTS if (text := text_of(body.get(field))) and text != title), "")
    return paragraphs(said, "\n".join(_matches(body.get("evalMatches"))))


def _matches(matches: object) -> Iterator[str]:
    """What the rule saw, a line for each series."""
    for match in matches if isinstance(matches, list) else ():
        if isinstance(match, Mapping):
            tags = ", ".join(f"{name}={value}" for name, value in labels_of(match.get("tags")).items())
            series = line(match.get("metric")) + (f"{{{tags}}}" if tags else "")
            yield f"{series}: {line(match.get('value')) or 'no value'}"


def _links(body: Mapping[str, Any]) -> Iterator[Link | None]:
    base_url = web_address(body.get("externalURL"))
    yield from (link(body.get(field), text, base_url) for field, text in LINKS)
