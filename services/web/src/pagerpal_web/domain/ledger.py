"""What became of each accepted alert? Pure: what the rows say of it goes in, the one part it belongs to comes out.

Every alert is in exactly one part, so the parts always add up to what was accepted. Most are decided by their outcome
alone; of one that opened or reopened an incident, the incident's pages decide: the first rule that holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pagerpal_common.vocabulary import AlertOutcome, IncidentStatus

SLICE = timedelta(days=7)
"""Of a long window, read one after the other: no statement takes for ever."""


class Part(StrEnum):
    PAGED = "paged"  # somebody was reached: a provider took the page
    PENDING = "pending"  # on its way, and in time
    DEDUPLICATED = "deduplicated"  # folded into an incident that was there
    SUPPRESSED = "suppressed"  # nobody was to be paged
    FAILED = "failed"  # somebody was to be paged, and nobody was reached


@dataclass(frozen=True)
class Facts:
    """Of an alert that opened or reopened an incident: how the incident stands, and how its pages have ended.

    For a reopened one the pages since then; for the first alert all of them.
    """

    status: IncidentStatus | None
    """None when there is no such incident."""
    is_test: bool = False
    is_unreached: bool = False
    is_recent: bool = False
    """The incident has moved so lately that the next thing may still come."""
    has_pages: bool = False
    has_untaken: bool = False
    """A page has no notification."""
    is_untaken_recent: bool = False
    is_reached: bool = False
    is_waiting: bool = False
    """A notification is queued or being sent, in time."""
    is_late: bool = False
    """The same, out of time."""
    is_lost: bool = False
    """A notification has failed, or was given up."""
    error: str | None = None
    """Why the first of those was."""


@dataclass(frozen=True)
class Place:
    """Where an alert belongs. Only what is suppressed or failed has a reason."""

    part: Part
    reason: str | None = None


_BY_OUTCOME: Mapping[AlertOutcome, Place] = {
    AlertOutcome.UPDATED: Place(Part.DEDUPLICATED),
    AlertOutcome.DUPLICATE: Place(Part.DEDUPLICATED),
    AlertOutcome.NOTED: Place(Part.DEDUPLICATED),
    AlertOutcome.RESOLVED: Place(Part.SUPPRESSED, "it_resolved_an_incident"),
    AlertOutcome.ACKNOWLEDGED: Place(Part.SUPPRESSED, "it_acknowledged_an_incident"),
    AlertOutcome.IGNORED: Place(Part.SUPPRESSED, "stale_or_nothing_open"),
    AlertOutcome.PARKED: Place(Part.FAILED, "parked"),
}

OPENING = frozenset(AlertOutcome) - frozenset(_BY_OUTCOME)
"""The outcomes after which somebody is to be paged."""

_RULES: tuple[tuple[Callable[[Facts], bool], Place], ...] = (
    (lambda of: of.is_reached, Place(Part.PAGED)),
    (lambda of: of.is_waiting, Place(Part.PENDING)),
    (lambda of: of.is_test, Place(Part.SUPPRESSED, "test")),
    (lambda of: of.is_lost, Place(Part.FAILED, "notification")),  # its error's class says more
    (lambda of: of.is_late, Place(Part.FAILED, "overdue")),
    (lambda of: of.status is IncidentStatus.RESOLVED, Place(Part.SUPPRESSED, "resolved_before_first_page")),
    (
        lambda facts: facts.status is IncidentStatus.ACKNOWLEDGED,
        Place(Part.SUPPRESSED, "acknowledged_before_first_page"),
    ),
    (lambda of: of.status is None, Place(Part.FAILED, "incident_missing")),
    (lambda of: of.has_untaken and of.is_untaken_recent, Place(Part.PENDING)),
    (lambda of: of.has_untaken, Place(Part.FAILED, "not_taken_up")),
    (lambda of: of.has_pages, Place(Part.FAILED, "cancelled")),  # though somebody is wanted
    (lambda of: of.is_unreached, Place(Part.FAILED, "nobody_reachable")),
    (lambda of: of.is_recent, Place(Part.PENDING)),
    (lambda _: True, Place(Part.FAILED, "not_escalated")),
)

_ERRORS: tuple[tuple[str, str], ...] = (
    ("given up", "given_up"),
    ("the person is ", "person_gone"),
    ("the person has ", "no_address"),
    ("no provider ", "no_provider"),
    ("Infobip: ", "refused_by_infobip"),
    ("mail server: ", "refused_by_mail_server"),
)
"""How the errors of notifications begin, and their classes."""


@dataclass(frozen=True)
class Group:
    """Alerts of which the rows say the same."""

    outcome: AlertOutcome | None
    """None of one that is kept and not taken in yet."""
    facts: Facts | None
    number: int


@dataclass(frozen=True)
class Accounts:
    """How many alerts were accepted in a window, and the parts that they divide into."""

    accepted: int
    parts: Mapping[Part, int]
    suppressed: Mapping[str, int]
    """By reason."""
    failed: Mapping[str, int]
    """By reason."""


def place_of(outcome: AlertOutcome | None, facts: Facts | None) -> Place:
    """The one part that an alert belongs to."""
    if outcome is None:
        return Place(Part.PENDING)
    if outcome in _BY_OUTCOME:
        return _BY_OUTCOME[outcome]
    given = facts or Facts(None)
    place = next(place for holds, place in _RULES if holds(given))
    return Place(Part.FAILED, _class_of(given.error)) if place.reason == "notification" else place


def _class_of(error: str | None) -> str:
    return next((name for begins, name in _ERRORS if (error or "").startswith(begins)), "notification_failed")


def account(groups: Iterable[Group]) -> Accounts:
    """Add everything up, each alert once."""
    counted: Counter[Place] = Counter()
    for group in groups:
        counted[place_of(group.outcome, group.facts)] += group.number
    parts: Counter[Part] = Counter(dict.fromkeys(Part, 0))
    for place, number in counted.items():
        parts[place.part] += number
    return Accounts(sum(counted.values()), parts, _reasons(counted, Part.SUPPRESSED), _reasons(counted, Part.FAILED))


def _reasons(counted: Mapping[Place, int], part: Part) -> Mapping[str, int]:
    found = ((place.reason, number) for place, number in counted.items() if place.part is part and number)
    return {reason: number for reason, number in sorted(found, key=str) if reason is not None}


def slices(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The window cut into pieces that do not overlap."""
    while since < until:
        end = min(since + SLICE, until)
        yield since, end
        since = end
