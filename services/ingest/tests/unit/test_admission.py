"""Does one source's storm leave the others their places, and is its every end counted?"""

import asyncio
from collections.abc import Mapping
from itertools import count

import pytest
from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.errors import Invalid, Unavailable, Unprocessable
from pagerpal_common.vocabulary import AlertOutcome, SourceEnding
from pagerpal_ingest import admission as module
from pagerpal_ingest.admission import Admission
from pagerpal_ingest.domain.allowance import BURST_SECONDS
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.intake import Intake
from pagerpal_ingest.tally import Ending, Tally
from structlog.testing import capture_logs

from services.ingest.tests.conftest import TestClock, an_alert, ticks


class Behind(Intake):
    """What is behind the door: answers when it is told to."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_down = False
        self.is_silent = False

    def is_unanswered(self) -> bool:
        return self.is_silent

    async def take(self, alert: Alert) -> AlertResult | None:
        await self.gate.wait()
        if self.is_down:
            raise Unavailable("both are away")
        if self.is_silent:
            return None
        return AlertResult(alert_id=alert.alert_id, outcome=AlertOutcome.OPENED, incident=None)


def a_source(number: int = 1, **config: object) -> Source:
    return Source(source_id=number, team_id=3, escalation_policy_id=None, config=config, is_active=True)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def admission(behind: Behind, tally: Tally, clock: TestClock) -> Admission:
    return Admission(behind, tally, clock)


async def admitted(admission: Admission, source: Source) -> None:
    """One alert, as the reception lets it in."""
    admission.admit(source, 1)
    await admission.take(source, an_alert())


def counted(tally: Tally) -> Mapping[Ending, int]:
    return {ending: number for (_, _, ending), number in tally.take().endings.items()}


async def test_every_alert_is_counted_under_what_became_of_it(
    admission: Admission, behind: Behind, tally: Tally
) -> None:
    await admission.take(a_source(), an_alert())
    behind.is_silent = True
    await admission.take(a_source(), an_alert())
    behind.is_down = True
    with pytest.raises(Unavailable):
        await admission.take(a_source(), an_alert())

    assert counted(tally) == {AlertOutcome.OPENED: 1, SourceEnding.KEPT: 1, SourceEnding.UNAVAILABLE: 1}


async def test_a_source_beyond_its_limit_waits_and_no_other_does(admission: Admission, tally: Tally) -> None:
    slow, other = a_source(1, alerts_per_second=0.1), a_source(2)
    await admitted(admission, slow)

    with pytest.raises(Unavailable, match="limit"):
        await admitted(admission, slow)
    await admitted(admission, other)

    assert counted(tally) == {AlertOutcome.OPENED: 2, SourceEnding.LIMITED: 1}


async def test_one_source_cannot_take_every_place(
    admission: Admission, behind: Behind, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    behind.gate.clear()
    under_way = [asyncio.create_task(admission.take(a_source(), an_alert())) for _ in range(3)]
    await ticks()

    with pytest.raises(Unavailable, match="limit"):
        await admission.take(a_source(), an_alert())
    other = asyncio.create_task(admission.take(a_source(2), an_alert()))
    behind.gate.set()
    await asyncio.gather(*under_way, other)
    await admission.take(a_source(), an_alert())

    assert counted(tally) == {AlertOutcome.OPENED: 5, SourceEnding.LIMITED: 1}


async def test_a_storm_is_one_line_in_the_log_and_its_end_another(admission: Admission) -> None:
    rate = 0.1
    with capture_logs() as lines:
        await admitted(admission, a_source(1, alerts_per_second=rate))
        for _ in range(5):
            with pytest.raises(Unavailable):
                await admitted(admission, a_source(1, alerts_per_second=rate))
        rate = 1000.0  # an operator has raised it
        await admitted(admission, a_source(1, alerts_per_second=rate))

    assert [line["event"] for line in lines] == ["source.limited", "source.limit_ended"]


async def test_sources_that_fell_silent_are_forgotten(admission: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALLOWANCES_LIMIT", 2)
    monkeypatch.setattr(module, "_seconds", count(0, 100).__next__)

    for number in range(4):
        await admitted(admission, a_source(number))

    assert len(admission._allowances) <= 3


async def test_what_opens_incidents_by_the_hundred_keeps_its_places(
    admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_seconds", lambda: 0.0)
    source = a_source(1)
    allowed = int(module.OPENINGS_PER_SECOND * BURST_SECONDS)

    for _ in range(allowed):
        await admitted(admission, source)
    assert admission._lanes._taken == {}
    await admitted(admission, source)

    assert admission._lanes._taken == {1: 1}


def test_a_body_comes_in_whole_or_not_at_all_however_large_it_is(
    admission: Admission, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_seconds", iter([0, 0, 0, 100]).__next__)
    source = a_source(1, alerts_per_second=1)

    admission.admit(source, 100)
    with pytest.raises(Unavailable):
        admission.admit(source, 1)
    admission.admit(source, 100)

    assert counted(tally) == {SourceEnding.LIMITED: 1}


def test_a_refused_request_is_counted_with_its_reason_but_not_with_what_was_sent(
    admission: Admission, tally: Tally
) -> None:
    problem: dict[str, object] = {"loc": ["body", "title"], "msg": "Text must not be blank", "type": "blank"}
    with pytest.raises(Unprocessable), admission.request_of(a_source()):
        raise Unprocessable([problem])
    first = tally.take()
    with pytest.raises(Invalid), admission.request_of(a_source()):
        raise Invalid("several keys")
    admission.refuse_key(Source(1, 3, None, None, is_active=True, is_key_replaced=True))
    then = tally.take()

    assert first.seen[1].last_refusal == "body.title: Text must not be blank"
    assert then.seen[1].last_refusal == "its key has been replaced"
    assert sum(then.endings.values()) == 2
