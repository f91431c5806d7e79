"""How are the alerts of one body taken, so that they neither wait for themselves nor hold up everybody else?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.errors import Unavailable
from pagerpal_common.vocabulary import AlertOutcome
from pagerpal_ingest.admission import Admission
from pagerpal_ingest.context import Context
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.intake import WAITING_LIMIT, Intake
from pagerpal_ingest.receipts import Receipts
from pagerpal_ingest.reception import TOGETHER, TOGETHER_UNANSWERED, take
from pagerpal_ingest.replies import Replies
from pagerpal_ingest.sns import Sns
from pagerpal_ingest.sources import Sources
from pagerpal_ingest.tally import Tally

from services.ingest.tests.conftest import START, an_alert

SOURCE = Source(7, 1, None, None, True)
Take = Callable[[Alert], Awaitable[AlertResult | None]]


class Counter:
    """An intake that notes how many alerts it is asked to take at once."""

    def __init__(self, become: Take) -> None:
        self._become = become
        self._under_way = 0
        self.portions: list[int] = []

    def is_unanswered(self) -> bool:
        return False

    async def take(self, alert: Alert) -> AlertResult | None:
        self._under_way += 1
        await asyncio.sleep(0)
        if self._under_way:
            self.portions.append(self._under_way)
            self._under_way = 0
        return await self._become(alert)


async def taken(counter: Counter, number: int) -> list[AlertResult | None]:
    admission = Admission(cast(Intake, counter), Tally(), lambda: START, alerts_per_second=1_000_000)
    no_sources, no_sns = cast(Sources, None), cast(Sns, None)
    ctx = Context(no_sources, admission, lambda: START, no_sns, cast(Receipts, None), cast(Replies, None))
    return await take(ctx, SOURCE, [an_alert(f"alert {one}") for one in range(number)])


async def answers(alert: Alert) -> AlertResult:
    return AlertResult(alert_id=alert.alert_id, outcome=AlertOutcome.UPDATED, incident=None)


async def keeps(_alert: Alert) -> None:
    return None


async def test_the_alerts_of_a_body_are_taken_in_portions_and_answered_in_order() -> None:
    counter = Counter(answers)

    results = await taken(counter, 1_000)

    assert counter.portions == [TOGETHER, TOGETHER, 200]
    assert len({result.alert_id for result in results if result is not None}) == 1_000


async def test_while_nobody_answers_there_are_few_portions() -> None:
    counter = Counter(keeps)

    assert await taken(counter, 5_000) == [None] * 5_000
    assert counter.portions == [TOGETHER, TOGETHER_UNANSWERED, TOGETHER_UNANSWERED, 600]
    assert TOGETHER_UNANSWERED < WAITING_LIMIT / 2


async def test_one_that_may_be_lost_is_told_to_the_sender_before_the_rest_is_tried() -> None:
    async def loses_the_third(alert: Alert) -> None:
        if alert.title == "alert 2":
            raise Unavailable("not kept")

    counter = Counter(loses_the_third)

    with pytest.raises(Unavailable):
        await taken(counter, 1_000)
    assert counter.portions == [TOGETHER]


async def test_a_single_alert_is_taken_as_it_is() -> None:
    counter = Counter(keeps)

    assert await taken(counter, 1) == [None]
    assert counter.portions == [1]
