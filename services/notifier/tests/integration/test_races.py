"""Several notifiers at once, and answers that come at the same moment."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pagerpal_common.clock import utc_now
from pagerpal_notifier.context import Context
from pagerpal_notifier.loops import send, take_up

from services.notifier.tests.integration.fake_infobip import FakeInfobip
from services.notifier.tests.integration.world import T0, World

PAIRS = 200


async def test_nothing_is_claimed_after_an_answer_has_been_committed(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    incidents = await given_pages(world, PAIRS)
    answered: dict[int, datetime] = {}
    begun = utc_now()

    def now() -> datetime:
        """A clock that goes, for what matters is the order of things."""
        return T0 + (utc_now() - begun)

    senders = [replace(new_context(), now=now) for _ in range(2)]

    async def answer(incident_id: int) -> None:
        await world.quieten(incident_id)
        answered[incident_id] = now()

    async def answer_all() -> None:
        """From the end, so that the claims, which go from the start, meet them in the middle."""
        for incident_id in reversed(incidents):
            await answer(incident_id)

    async def send_all(ctx: Context) -> None:
        while len(answered) < PAIRS or await send(ctx):
            await send(ctx)
            await asyncio.sleep(0)
        await ctx.in_flight.finish()

    await asyncio.gather(answer_all(), *(send_all(ctx) for ctx in senders))

    claims = await world.rows(
        "SELECT n.incident_id, a.started_at FROM notification.attempts a"
        " JOIN notification.notifications n ON n.id = a.notification_id"
    )
    assert 0 < len(claims) < PAIRS  # both sides won some
    assert [claim for claim in claims if claim["started_at"] > answered[claim["incident_id"]]] == []
    statuses = Counter(row["status"] for row in await world.notifications() if row["channel"] == "sms")
    assert statuses == {"sent": len(claims), "cancelled": PAIRS - len(claims)}
    assert len(infobip.calls) == len(claims)


async def test_several_senders_at_once_send_each_page_once(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    await given_pages(world, 100)
    senders = [new_context() for _ in range(3)]

    async def send_all(ctx: Context) -> None:
        while await send(ctx):
            await ctx.in_flight.finish()

    await asyncio.gather(*(send_all(ctx) for ctx in senders))

    assert len(infobip.calls) == 100
    assert len({call.message_id for call in infobip.calls}) == 100
    assert Counter(row["attempts"] for row in await world.notifications() if row["channel"] == "sms") == {1: 100}
    told = await world.settled()
    assert len(told) == len(set(told)) == 100


async def given_pages(world: World, count: int) -> list[int]:
    """The ids of as many incidents, each with a page that is due, to a person of its own."""
    incidents = [await world.incident() for _ in range(count)]
    for place, incident_id in enumerate(incidents):
        user_id = await world.user(phone=f"+43664{1000000 + place}", email=f"u{place}@example.com")
        await world.page_request(incident_id, user_id)
    while await take_up(world.ctx):
        pass
    return incidents
