"""What ingest talks to in its tests: the bus with incidents behind it, as each test wants them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from pagerpal_common.bus import BatchSubscription, Subscription, wire
from pagerpal_common.contracts.alerts import Alert, AlertResult, AlertsHandled, AlertsReceived
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.receipts import ReceiptsReceived
from pagerpal_common.contracts.replies import RepliesReceived
from pagerpal_common.errors import BusUnavailable, NoReply
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus, Severity

R = TypeVar("R", bound=Message)

START = datetime(2026, 5, 21, 12, tzinfo=UTC)


class TestClock:
    """A clock that moves when it is told to."""

    __test__ = False

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


Script = Callable[[AlertsReceived, float], Awaitable[AlertsHandled]]


class ScriptedBus:
    """The bus of one publisher. `script` is what happens to a request: an answer, or what the bus raises."""

    def __init__(self) -> None:
        self.groups: list[AlertsReceived] = []
        self.published: list[ReceiptsReceived] = []
        self.replies: list[RepliesReceived] = []
        self.is_away = False
        self.script: Script = opens()
        self._heard = asyncio.Event()

    @property
    def alerts(self) -> list[Alert]:
        return [alert for group in self.groups for alert in group.alerts]

    async def request(self, message: Message, reply: type[R], *, wait: float, expires: bool = True) -> R:
        assert isinstance(message, AlertsReceived)
        assert not expires, "an accepted alert must be processed however late"
        self.groups.append(wire.decode(AlertsReceived, wire.encode(message)))
        self._heard.set()
        answer = await self.script(message, wait)
        assert isinstance(answer, reply)
        return answer

    async def hears(self, groups: int) -> None:
        """Wait until it has been asked so often."""
        async with asyncio.timeout(10):
            while len(self.groups) < groups:
                self._heard.clear()
                await self._heard.wait()

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None:
        assert not subscriptions, f"{service} takes no messages"

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    async def publish(self, *messages: Message) -> None:
        if self.is_away:
            raise BusUnavailable("not confirmed")
        (message,) = messages
        if isinstance(message, RepliesReceived):
            self.replies.append(wire.decode(RepliesReceived, wire.encode(message)))
            return
        assert isinstance(message, ReceiptsReceived), f"ingest asks about {message.topic}, and must not publish it"
        self.published.append(wire.decode(ReceiptsReceived, wire.encode(message)))

    async def parked(self) -> int:
        return 0

    def is_connected(self) -> bool:
        return True


def opens(outcome: AlertOutcome = AlertOutcome.OPENED, *, with_incident: bool = True) -> Script:
    """Incidents answers at once, and this is what became of every alert."""

    async def script(message: AlertsReceived, _wait: float) -> AlertsHandled:
        results = tuple(
            AlertResult(
                alert_id=alert.alert_id, outcome=outcome, incident=an_incident(alert) if with_incident else None
            )
            for alert in message.alerts
        )
        return AlertsHandled(occurred_at=START, results=results)

    return script


def behind(gate: asyncio.Event, then: Script) -> Script:
    """Nothing happens before the gate is open."""

    async def script(message: AlertsReceived, wait: float) -> AlertsHandled:
        await gate.wait()
        return await then(message, wait)

    return script


async def is_silent(message: AlertsReceived, _wait: float) -> AlertsHandled:
    """The broker confirms; incidents is away."""
    raise NoReply("nobody answered")


async def is_away(message: AlertsReceived, _wait: float) -> AlertsHandled:
    """There is no broker."""
    raise BusUnavailable("not connected")


def an_alert(title: str = "disk full") -> Alert:
    return Alert(
        alert_id=uuid7(),
        source_id=1,
        team_id=1,
        external_id=None,
        status=AlertStatus.FIRING,
        severity=Severity.CRITICAL,
        title=title,
        description="",
        received_at=START,
    )


def an_incident(alert: Alert) -> IncidentView:
    """The incident that this alert opened, nobody paged yet."""
    return IncidentView(
        id=42,
        title=alert.title,
        description=alert.description,
        severity=alert.severity,
        external_id=alert.external_id,
        source_id=alert.source_id,
        team_id=alert.team_id,
        status=IncidentStatus.TRIGGERED,
        current_escalation_level=0,
        assigned_user_id=1,
        acknowledged_by=None,
        acknowledged_at=None,
        resolved_by=None,
        resolved_at=None,
        first_notified_at=None,
        last_notified_at=None,
        notification_count=0,
        created_at=START,
        escalation_id=1,
        escalation_pass=1,
        alert_count=1,
        last_alert_at=START,
        links=(),
        labels={},
        is_unreached=False,
    )


async def ticks(number: int = 10) -> None:
    """Let everything that can go on go on."""
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.fixture
def bus() -> ScriptedBus:
    return ScriptedBus()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()
