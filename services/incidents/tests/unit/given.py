"""Short ways to write alerts down, and to give them to the pure core."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, Severity
from pagerpal_incidents.domain.fold import Folded, Known, fold
from pagerpal_incidents.domain.history import History, Step, Supply
from pagerpal_incidents.domain.incident import Incident
from pagerpal_incidents.domain.take import take

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
NOW = T0 + timedelta(days=1)
"""When alerts are handled here, unless a test says otherwise: later than any of them arrived."""

F, R, A, U = AlertStatus.FIRING, AlertStatus.RESOLVED, AlertStatus.ACKNOWLEDGED, AlertStatus.UNKNOWN


def second(number: float) -> datetime:
    return T0 + timedelta(seconds=number)


def an_alert(number: int, external_id: str | None = "cpu", **changes: object) -> Alert:
    """The alert that arrived in this second; numbered by it, too."""
    alert = Alert(
        alert_id=UUID(int=number),
        source_id=1,
        team_id=3,
        external_id=external_id,
        status=F,
        severity=Severity.CRITICAL,
        title="CPU > 95%",
        description="for 10 minutes",
        received_at=second(number),
    )
    return alert.model_copy(update=changes)


def over(number: int, external_id: str | None = "cpu", **changes: object) -> Alert:
    return an_alert(number, external_id, **{"status": R} | changes)


def numbers() -> Iterator[tuple[int, int]]:
    return zip(count(1), count(101), strict=False)


def folded(*alerts: Alert, known: Known | None = None, at: datetime = NOW) -> Folded:
    return fold(alerts, known or Known(), numbers(), at)


def outcomes(result: Folded) -> list[tuple[AlertOutcome, int | None]]:
    return [(outcome, incident_id) for _, outcome, incident_id in result.results]


class Told:
    """One dedup key that is told one thing after another, by its source and by people."""

    def __init__(self) -> None:
        self.history = History()
        self.incidents: dict[int, Incident] = {}
        self.steps: list[Step] = []
        self._supply = Supply(numbers())

    def hears(self, *alerts: Alert, at: datetime = NOW) -> Step:
        for alert in alerts:
            step = take(self.history, alert, self._supply, at)
            self.history = step.history
            self.steps.append(step)
            if step.incident is not None:
                self.incidents[step.incident.id] = step.incident
        return self.steps[-1]

    def becomes(self, incident: Incident) -> None:
        """What a person has made of the incident that counts now."""
        self.incidents[incident.id] = incident
        is_closed = incident.status == "resolved"
        self.history = History(closed=incident) if is_closed else History(open=incident)

    @property
    def now(self) -> Incident:
        incident = self.history.open or self.history.closed
        assert incident is not None
        return incident

    def lines(self) -> list[str]:
        return [event.event_type for step in self.steps for event in step.events]
