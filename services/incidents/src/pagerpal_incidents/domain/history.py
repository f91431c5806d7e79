"""What is known of a dedup key, and what one alert makes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.message import Message
from pagerpal_common.vocabulary import AlertOutcome

from pagerpal_incidents.domain.incident import Event, Incident
from pagerpal_incidents.domain.order import Word

Routing = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a dedup key. An alert without one stands alone: it has no history, and leaves none."""

    open: Incident | None = None
    closed: Incident | None = None
    """The incident that was resolved last, when none is open. Tests are no history."""
    early: Word | None = None
    """The newest end that was told of what has no incident, open or closed."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What new incidents and new runs are made of."""

    numbers: Iterator[tuple[int, int]]
    """The ids of a new incident and of a new run of its policy."""
    assigned: Mapping[Routing, int | None] = field(default_factory=dict)
    """The first person of level 1, by team and policy."""


@dataclass(frozen=True, slots=True)
class Case:
    """One alert, and all that the decision about it needs."""

    history: History
    alert: Alert
    word: Word
    supply: Supply
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What one alert makes true. Its incident is the one that the ledger names."""

    history: History
    outcome: AlertOutcome
    incident: Incident | None
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    closes_pages: bool = False


def routing_of(of: Alert | Incident) -> Routing:
    """What decides who is paged for it."""
    return of.team_id, of.escalation_policy_id
