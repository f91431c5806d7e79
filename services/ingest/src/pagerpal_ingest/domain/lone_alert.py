"""What does a single alert in an unknown shape say? Grafana's legacy notification channels (version 8 and older), and
whatever a custom payload template makes.

Source of the legacy shape: API reference, "Grafana webhook"; Grafana 8 documentation, "Alert notifications: Webhook".
Every field may be missing; a field that somebody could recognise the alert by is enough, and so is a status: what fires
wakes somebody, whatever it is called (`nameless.py`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pagerpal_common.contracts.incidents import Link
from pagerpal_common.vocabulary import AlertStatus

from pagerpal_ingest.domain import details, nameless
from pagerpal_ingest.domain.aliases import severity_of, status_of
from pagerpal_ingest.domain.labels import Labels, external_id, fingerprint, labels_of
from pagerpal_ingest.domain.links import link, web_address
from pagerpal_ingest.domain.moments import moment, news_of
from pagerpal_ingest.domain.reading import Found, Reading, Unreadable, alert_of
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import line, paragraphs, text_of
from pagerpal_ingest.domain.trials import LEGACY_ID, is_legacy_trial, is_trial

OWN_IDS = ("ruleId", "fingerprint", "external_id", "externalId", "dedup_key", "alert_id", "alertId")
IDS = (*OWN_IDS, "ruleUID", "ruleUrl")
"""What its sender knows an alert by, the best first. Not `id`: that may be the notification's. The last two name a
rule, which may have many alerts."""

NAMES = ("ruleName", "alertname", "alertName", "alert_name", "rule_name", "name")
TITLES = ("title", "summary", *NAMES, "subject", "message", "text", "description")
TEXTS = ("message", "description", "text", "body", "details")
STATES = ("state", "status")
LINKS = (
    ("ruleUrl", "Alert rule"),
    ("generatorURL", "Alert rule"),
    ("silenceURL", "Silence"),
    ("dashboardURL", "Dashboard"),
    ("panelURL", "Panel"),
    ("imageUrl", "Image"),
    ("imageURL", "Image"),
)

SETS_APART = ("state", "title", *NAMES, *(field for field in OWN_IDS if field != "fingerprint"), "ruleUrl")
"""What an alert of a group does not have: one that has any of these is by itself."""

NOT_AN_IDENTITY = frozenset({"team_id", "severity", "priority"})
"""Labels that say where to send an alert and how bad it is, not what it is about."""

_TOLD = frozenset({*IDS, *TITLES, *TEXTS, *STATES, *details.SEVERITIES, *(field for field, _ in LINKS), "externalURL"})
_BRACKETS = re.compile(r"^\s*\[([^\]]*)\]\s*")


def read_lone_alert(
    body: Mapping[str, Any],
    source: Source,
    at: datetime,
    *,
    status: AlertStatus | None = None,
    common: Labels | None = None,
    notes: Sequence[str] = (),
) -> Reading:
    """The alert in an object.

    `no_data` fires: nobody may sleep through a dead sensor. `paused` and `pending` neither fire nor are over.

    Args:
        status: for one that does not say.
        common: labels that it shares with others; it is not known by them.
    """
    own = labels_of(body.get("tags")) | labels_of(body.get("labels"))
    labels, annotations = (common or {}) | own, labels_of(body.get("annotations"))
    stated = status_of(*(body.get(field) for field in STATES))
    name = _external_id(body, own, annotations)
    if name is None and stated:
        name = nameless.identity(nameless.texts_in(body))
    if name is None:
        return Unreadable("it has no alerts, and neither a title nor anything else to know an alert by")
    status = stated or status or AlertStatus.FIRING
    starts_at, ends_at = moment(body.get("startsAt")), moment(body.get("endsAt"))
    title = _title(body, labels, annotations)
    found = Found(
        external_id=name,
        status=status,
        severity=severity_of(_severities(body, labels, annotations), source.default_severity),
        title=title,
        description=_description(body, annotations, title),
        labels=labels,
        links=_links(body, annotations),
        notes=notes,
        event_at=news_of(is_over=status is AlertStatus.RESOLVED, starts_at=starts_at, ends_at=ends_at),
        starts_at=starts_at,
        is_test=is_legacy_trial(body) or is_trial(labels, annotations),
    )
    return alert_of(found, source, at)


def own_id(body: Mapping[str, Any], fields: Sequence[str] = OWN_IDS) -> str | None:
    """What its sender calls it. A number 0 is how Go says that there is none."""
    given = (body.get(field) for field in fields)
    ids = (external_id(value) for value in given if value and not isinstance(value, bool | Mapping | list))
    return next((found for found in ids if found), None)


def without_state(title: str) -> str:
    """ "[Alerting] Disk full" and "[OK] Disk full" are about the same; "[db-1] Disk full" is not."""
    found = _BRACKETS.match(title)
    if found is None or status_of(found[1].strip().replace(" ", "_")) is None:
        return title
    return title[found.end() :]


def _external_id(body: Mapping[str, Any], labels: Labels, annotations: Labels) -> str | None:
    if is_legacy_trial(body):
        return LEGACY_ID
    if found := own_id(body, IDS):
        return found
    for field in NAMES:
        if found := external_id(body.get(field)):
            return found
    if identity := {name: value for name, value in labels.items() if name not in NOT_AN_IDENTITY}:
        return fingerprint(identity)
    texts = (without_state(text_of(body.get(field))) for field in TITLES)
    named = next((found for text in texts if (found := external_id(text.strip()))), None)
    return named or external_id(details.headline(annotations))


def _title(body: Mapping[str, Any], labels: Labels, annotations: Labels) -> str:
    given = (line(body.get(field)) for field in TITLES)
    known = next(filter(None, given), "") or details.headline(annotations) or line(labels.get("alertname"))
    if known:
        return known
    name = own_id(body, IDS)
    return f"Alert {name}" if name else details.gist(annotations) or nameless.title(labels or nameless.texts_in(body))


def _severities(body: Mapping[str, Any], labels: Labels, annotations: Labels) -> Iterator[object]:
    yield from details.severities(labels, {})
    yield from (body.get(name) for name in details.SEVERITIES)
    yield from details.severities({}, annotations)


def _description(body: Mapping[str, Any], annotations: Labels, title: str) -> str:
    said = next((text for field in TEXTS if (text := text_of(body.get(field))) and text != title), "")
    headline = details.headline(annotations)
    known = paragraphs(
        said,
        headline if headline != title else "",
        details.description(body, annotations),
        "\n".join(_matches(body.get("evalMatches"))),
        "\n".join(nameless.told(body.get("alerts"))),
    )
    return known or paragraphs("\n".join(_others(body)))


def _others(body: Mapping[str, Any]) -> Iterator[str]:
    """What else it says, in words that nobody has told us of."""
    for field, value in body.items():
        if (
            field not in _TOLD
            and not isinstance(value, Mapping | list)
            and (text := line(nameless.shown(field, value)))
        ):
            yield f"{line(field)}: {text}"


def _matches(matches: object) -> Iterator[str]:
    """What the rule saw, a line for each series."""
    for match in matches if isinstance(matches, list) else ():
        if isinstance(match, Mapping):
            tags = ", ".join(f"{name}={value}" for name, value in labels_of(match.get("tags")).items())
            series = line(match.get("metric")) + (f"{{{tags}}}" if tags else "")
            yield f"{series}: {line(match.get('value')) or 'no value'}"


def _links(body: Mapping[str, Any], annotations: Labels) -> Iterator[Link | None]:
    base_url = web_address(body.get("externalURL"))
    yield from details.runbooks(annotations)
    yield from (link(body.get(field), text, base_url) for field, text in LINKS)
