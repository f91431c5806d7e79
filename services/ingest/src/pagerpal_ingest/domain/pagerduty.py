"""What does an event for PagerDuty say? Its Events API v2, `POST /v2/enqueue`: Alertmanager, Grafana and most exporters
speak it, and let its address be changed, so that moving to PagerPal is a change of one line.

Source: PagerDuty developer documentation, "Send an alert event" and "Payload field details".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.errors import Invalid
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import AlertStatus

from pagerpal_ingest.domain.aliases import severity_of
from pagerpal_ingest.domain.json_body import loads
from pagerpal_ingest.domain.labels import Labels, external_id, labels_of
from pagerpal_ingest.domain.links import link
from pagerpal_ingest.domain.masked import masked_by_name
from pagerpal_ingest.domain.reading import Found, alert_of
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import line, paragraphs, text_of

ACTIONS: Mapping[str, AlertStatus] = {
    "trigger": AlertStatus.FIRING,
    "acknowledge": AlertStatus.ACKNOWLEDGED,
    "resolve": AlertStatus.RESOLVED,
}

LABELS = ("source", "component", "group", "class")
"""The fields of a payload that say what it is about."""


@dataclass(frozen=True)
class Event:
    """One event, checked: what PagerDuty would refuse is refused, where nothing can be made of it."""

    action: AlertStatus
    dedup_key: str
    """As its sender gave it, or made here: it goes back in the answer."""
    said: Mapping[str, Any]


def addressed(body: bytes, routing_key: str = "") -> tuple[str, Mapping[str, Any]]:
    """What a body says, and whose it is: its `routing_key` is an alert source key.

    Args:
        routing_key: the header `X-Routing-Key`, where PagerDuty's own Python client puts it instead.

    Raises:
        Unprocessable: it is not JSON.
        Invalid: it is no object, or nobody's; the text says why, in the words of PagerDuty.
    """
    said = loads(body)
    if not isinstance(said, Mapping):
        raise Invalid("the event must be a JSON object")
    key = text_of(said.get("routing_key")).strip() or routing_key
    if not key:
        raise Invalid("'routing_key' is missing or blank")
    return key, said


def event_of(said: Mapping[str, Any]) -> Event:
    """The event that a body says.

    Raises:
        Invalid: it is none; the text says why, in the words of PagerDuty.
    """
    action = ACTIONS.get(line(said.get("event_action")).lower())
    if action is None:
        raise Invalid("'event_action' must be one of trigger, acknowledge, resolve")
    dedup_key = text_of(said.get("dedup_key"))
    if not dedup_key.strip() and action is not AlertStatus.FIRING:
        raise Invalid("'dedup_key' is missing or blank: without it nothing can be acknowledged or resolved")
    if action is AlertStatus.FIRING and not _title(_payload(said)):
        raise Invalid("'payload.summary' is missing or blank")
    return Event(action, dedup_key if dedup_key.strip() else uuid7().hex, said)


def alert_in(event: Event, source: Source, at: datetime) -> Alert:
    """The alert that an event is, when it arrived `at`.

    Its `timestamp` does not order it: an acknowledgement and a resolve have none, and PagerDuty takes events in the
    order in which they come.
    """
    payload = _payload(event.said)
    labels = _labels(payload, event.said)
    found = Found(
        external_id=external_id(event.said.get("dedup_key")) or event.dedup_key,
        status=event.action,
        severity=severity_of([payload.get("severity")], source.default_severity),
        title=_title(payload) or event.dedup_key,
        description=_description(payload),
        labels=labels,
        links=_links(event.said),
    )
    return alert_of(found, source, at)


def _payload(said: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = said.get("payload")
    return payload if isinstance(payload, Mapping) else {}


def _title(payload: Mapping[str, Any]) -> str:
    """PagerDuty demands a summary. An event without one that says where it is from may wake somebody all the same."""
    about = next((text for name in LABELS if (text := line(payload.get(name)))), "")
    return line(payload.get("summary")) or (f"Alert from {about}" if about else "")


def _labels(payload: Mapping[str, Any], said: Mapping[str, Any]) -> Labels:
    labels = {name: text for name in LABELS if (text := text_of(payload.get(name)))}
    client = line(said.get("client"))
    details = payload.get("custom_details")
    team = details.get("team_id") if isinstance(details, Mapping) else None
    return labels | ({"client": client} if client else {}) | ({"team_id": line(team)} if line(team) else {})


def _description(payload: Mapping[str, Any]) -> str:
    details = payload.get("custom_details")
    if isinstance(details, Mapping):
        return paragraphs("\n".join(_fields(details)))
    if isinstance(details, list):
        return paragraphs("\n".join(f"- {item}" for detail in details if (item := _item(detail).strip())))
    return paragraphs(text_of(details))


def _item(detail: object) -> str:
    return ", ".join(_fields(detail)) if isinstance(detail, Mapping) else text_of(detail)


def _fields(details: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name}: {text}" for name, text in masked_by_name(labels_of(details)).items() if text.strip())


def _links(said: Mapping[str, Any]) -> Iterator[Link | None]:
    for given in _objects(said.get("links")):
        yield link(given.get("href"), line(given.get("text")) or "Link")
    for given in _objects(said.get("images")):
        text = line(given.get("alt")) or "Image"
        yield link(given.get("href"), text)
        yield link(given.get("src"), text)
    yield link(said.get("client_url"), line(said.get("client")) or "Client")


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (part for part in (value if isinstance(value, list) else ()) if isinstance(part, Mapping))
