"""What is made of one alert in a sender's dialect: an `Alert`, or the reason why nothing could be made of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import AlertStatus, Severity

from pagerpal_ingest.domain.labels import Labels, bounded
from pagerpal_ingest.domain.links import links
from pagerpal_ingest.domain.source import Source, route_labelled
from pagerpal_ingest.domain.texts import NOTE_LIMIT, cut_bytes, line


@dataclass(frozen=True)
class Unreadable:
    """A part of a body from which no alert can be made out."""

    reason: str
    """One of few sentences, in which nothing of the body stands: it is logged."""


Reading = Alert | Unreadable


@dataclass(frozen=True)
class Found:
    """What a dialect has found out about an alert, its texts storable but of any length."""

    external_id: str
    status: AlertStatus
    severity: Severity
    title: str
    description: str
    labels: Labels
    links: Iterable[Link | None] = ()
    notes: Iterable[str] = ()
    event_at: datetime | None = None
    starts_at: datetime | None = None
    is_test: bool = False


def alert_of(found: Found, source: Source, at: datetime) -> Alert:
    """The alert that arrived `at` from this source.

    Its id is new. A delivery that is repeated is harmless all the same, since what it says has its own name and its
    own time; and a genuine repeat must count (`docs/decisions/0013-repeats-are-told-by-their-episode.md`).
    """
    routing, misrouted = route_labelled(source, found.labels.get("team_id"))
    notes = [*found.notes, *([misrouted] if misrouted else [])]
    return Alert(
        alert_id=uuid7(),
        source_id=source.source_id,
        team_id=routing.team_id,
        escalation_policy_id=routing.escalation_policy_id,
        external_id=found.external_id,
        status=found.status,
        severity=found.severity,
        title=line(found.title),
        description=found.description,
        received_at=at,
        event_at=found.event_at,
        starts_at=found.starts_at,
        labels=bounded(found.labels),
        links=links(found.links),
        note=cut_bytes(". ".join(notes), NOTE_LIMIT) if notes else None,
        flap_seconds=source.flap_seconds,
        is_test=found.is_test,
    )
