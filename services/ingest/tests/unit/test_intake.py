"""Is an alert kept, by whom, and is the sender told the truth about it?"""

import asyncio
from collections.abc import Sequence

import pytest
from pagerpal_common.contracts.alerts import GROUP_LIMIT, Alert, AlertsHandled, AlertsReceived
from pagerpal_common.errors import DatabaseUnavailable, Invalid, Unavailable
from pagerpal_common.vocabulary import AlertOutcome
from pagerpal_ingest import intake as module
from pagerpal_ingest.intake import REQUESTS_UNDER_WAY, Intake
from structlog.testing import capture_logs

from services.ingest.tests.conftest import (
    START,
    Script,
    ScriptedBus,
    TestClock,
    an_alert,
    behind,
    is_away,
    is_silent,
    opens,
    ticks,
)

SOON = 0.01
EVENTUALLY = 30


class Spool:
    """The spool, as a list of groups; or out of order."""

    def __init__(self) -> None:
        self.groups: list[list[Alert]] = []
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def alerts(self) -> list[Alert]:
        return [alert for group in self.groups for alert in group]

    async def write(self, alerts: Sequence[Alert]) -> None:
        await self.gate.wait()
        if self.is_away:
            raise DatabaseUnavailable("refused")
        self.groups.append(list(alerts))


@pytest.fixture
def spool(monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setattr(module, "SPOOL_SECONDS", EVENTUALLY)
    return Spool()


def intake(bus: ScriptedBus, spool: Spool, clock: TestClock, *, reply_seconds: float = EVENTUALLY) -> Intake:
    return Intake(bus, spool.write, clock, reply_seconds=reply_seconds)


async def test_an_answered_alert_has_its_result_and_is_not_spooled(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    alert = an_alert()

    result = await intake(bus, spool, clock).take(alert)

    assert result is not None
    assert (result.alert_id, result.outcome) == (alert.alert_id, AlertOutcome.OPENED)
    assert bus.alerts == [alert]
    assert spool.groups == []


@pytest.mark.parametrize("script", [is_silent, is_away])
async def test_without_an_answer_the_alert_is_spooled(
    bus: ScriptedBus, spool: Spool, clock: TestClock, script: Script
) -> None:
    bus.script = script
    alert = an_alert()

    assert await intake(bus, spool, clock).take(alert) is None
    assert spool.alerts == [alert]


async def test_the_broker_s_confirmation_alone_keeps_an_alert(bus: ScriptedBus, spool: Spool, clock: TestClock) -> None:
    bus.script, spool.is_away = is_silent, True

    assert await intake(bus, spool, clock).take(an_alert()) is None


async def test_with_broker_and_database_away_the_sender_is_told_to_come_again(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    bus.script, spool.is_away = is_away, True

    with pytest.raises(Unavailable):
        await intake(bus, spool, clock).take(an_alert())


async def test_with_the_database_away_every_alert_of_a_steady_stream_is_confirmed(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    """Without an answer each request takes its full time; those who come later must not wait for it."""
    gate = asyncio.Event()
    bus.script, spool.is_away = behind(gate, is_silent), True
    door = intake(bus, spool, clock)

    senders = []
    for _ in range(REQUESTS_UNDER_WAY + 1):
        senders.append(asyncio.create_task(door.take(an_alert())))
        await ticks()
    await bus.hears(REQUESTS_UNDER_WAY + 1)

    gate.set()
    assert await asyncio.gather(*senders) == [None] * len(senders)


async def test_a_refusal_by_incidents_is_not_the_sender_s_fault(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    async def refuses(message: AlertsReceived, _wait: float) -> AlertsHandled:
        raise Invalid("a version that does not know this")

    bus.script = refuses
    alerts = [an_alert(), an_alert()]

    with capture_logs() as logs:
        door = intake(bus, spool, clock)
        assert await asyncio.gather(*map(door.take, alerts)) == [None, None]

    assert sorted(spool.alerts, key=str) == sorted(alerts, key=str)
    assert {line["error"] for line in logs if line["event"] == "group.failed"} == {"Invalid"}


async def test_an_alert_that_the_reply_leaves_out_is_spooled(bus: ScriptedBus, spool: Spool, clock: TestClock) -> None:
    async def forgetful(message: AlertsReceived, wait: float) -> AlertsHandled:
        handled = await opens()(message, wait)
        return AlertsHandled(occurred_at=START, results=handled.results[1:])

    bus.script = forgetful
    alerts = [an_alert(), an_alert()]
    door = intake(bus, spool, clock)

    results = await asyncio.gather(*map(door.take, alerts))

    assert results[0] is None
    assert results[1] is not None
    assert spool.alerts == [alerts[0]]


async def test_results_are_matched_by_alert_and_not_by_place(bus: ScriptedBus, spool: Spool, clock: TestClock) -> None:
    async def backwards(message: AlertsReceived, wait: float) -> AlertsHandled:
        handled = await opens()(message, wait)
        return AlertsHandled(occurred_at=START, results=handled.results[::-1])

    bus.script = backwards
    alerts = [an_alert(), an_alert(), an_alert()]
    door = intake(bus, spool, clock)

    results = await asyncio.gather(*map(door.take, alerts))

    assert [result and result.alert_id for result in results] == [alert.alert_id for alert in alerts]


async def test_the_same_alert_twice_in_a_group_is_opened_for_both(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    async def ledger(message: AlertsReceived, wait: float) -> AlertsHandled:
        opened = (await opens()(message, wait)).results
        again = opened[1].model_copy(update={"outcome": AlertOutcome.DUPLICATE})
        return AlertsHandled(occurred_at=START, results=(opened[0], again))

    bus.script = ledger
    alert = an_alert()
    door = intake(bus, spool, clock)

    results = await asyncio.gather(door.take(alert), door.take(alert))

    assert [result and result.outcome for result in results] == [AlertOutcome.OPENED, AlertOutcome.OPENED]


async def test_concurrent_alerts_share_messages_of_at_most_the_limit(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    gate = asyncio.Event()
    bus.script = behind(gate, opens())
    door = intake(bus, spool, clock)
    alerts = [an_alert(str(number)) for number in range(500)]

    senders = [asyncio.create_task(door.take(alert)) for alert in alerts]
    await ticks()
    gate.set()
    results = await asyncio.gather(*senders)

    assert all(result is not None for result in results)
    assert bus.alerts == alerts
    assert [len(group.alerts) for group in bus.groups] == [GROUP_LIMIT, GROUP_LIMIT, 100]


async def test_spooled_alerts_share_transactions(bus: ScriptedBus, spool: Spool, clock: TestClock) -> None:
    bus.script = is_away
    door = intake(bus, spool, clock)

    await asyncio.gather(*(door.take(an_alert()) for _ in range(500)))

    assert len(spool.alerts) == 500
    assert len(spool.groups) <= 5


async def test_what_waits_is_bounded_and_the_rest_is_spooled_or_sent_back(
    bus: ScriptedBus, spool: Spool, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_LIMIT", 20)
    gate = asyncio.Event()
    bus.script = behind(gate, opens())
    spool.gate.clear()
    door = intake(bus, spool, clock)
    senders = [asyncio.create_task(door.take(an_alert())) for _ in range(20 + 20 + 1)]

    (refused,), kept = await asyncio.wait(senders, return_when=asyncio.FIRST_COMPLETED)
    assert isinstance(refused.exception(), Unavailable)

    gate.set()
    spool.gate.set()
    await asyncio.gather(*kept)
    assert len(bus.alerts) == len(spool.alerts) == 20


async def test_an_alert_that_never_gets_its_turn_is_spooled(
    bus: ScriptedBus, spool: Spool, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HOLDS_BACK_SECONDS", EVENTUALLY)
    gate = asyncio.Event()
    bus.script = behind(gate, is_away)
    door = intake(bus, spool, clock, reply_seconds=SOON)
    earlier = []
    while len(bus.groups) < REQUESTS_UNDER_WAY:
        earlier.append(asyncio.create_task(door.take(an_alert())))
        await ticks()
    late = an_alert("late")

    assert await door.take(late) is None

    assert late in spool.alerts
    assert late not in bus.alerts
    gate.set()
    assert await asyncio.gather(*earlier) == [None] * len(earlier)


async def test_a_sender_that_hangs_up_neither_stops_its_alert_nor_a_neighbour_s(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    gate = asyncio.Event()
    bus.script = behind(gate, opens())
    door = intake(bus, spool, clock)
    gone, stays = (asyncio.create_task(door.take(an_alert())) for _ in range(2))
    await ticks()

    gone.cancel()
    await ticks()
    gate.set()

    assert await stays is not None
    assert len(bus.alerts) == 2


async def test_the_log_says_once_that_it_began_and_once_that_it_ended(
    bus: ScriptedBus, spool: Spool, clock: TestClock
) -> None:
    door = intake(bus, spool, clock)
    with capture_logs() as logs:
        bus.script = is_away
        for _ in range(3):
            await door.take(an_alert())
        bus.script = opens()
        for _ in range(5):
            await door.take(an_alert())
            clock.advance(seconds=2)

    assert [line["event"] for line in logs] == ["intake.spooling_began", "intake.spooling_ended"]
    assert {line["log_level"] for line in logs} == {"warning"}
