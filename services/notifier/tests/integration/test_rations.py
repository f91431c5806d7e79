"""No provider is given more than its rate, by however many notifiers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from pagerpal_notifier.context import Context
from pagerpal_notifier.loops import send

from services.notifier.tests.integration.fake_infobip import FakeInfobip
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.test_circuits import given_pages
from services.notifier.tests.integration.world import World


def limited(ctx: Context, **rates: float) -> Context:
    return replace(ctx, rates={**ctx.rates, **rates})


async def everything(*contexts: Context) -> None:
    """All of them send at once what they may, until they may no more."""

    async def one(ctx: Context) -> None:
        while await send(ctx):
            await ctx.in_flight.finish()

    await asyncio.gather(*map(one, contexts))


async def test_four_notifiers_together_give_a_provider_its_rate_and_no_more(
    world: World, new_context: Callable[[], Context], infobip: FakeInfobip
) -> None:
    await given_pages(world, 40)
    contexts = [limited(one, infobip=10) for one in (world.ctx, new_context(), new_context(), new_context())]

    await everything(*contexts)
    assert len(infobip.taken) == 10
    world.clock.advance(0.5)
    await everything(*contexts)
    assert len(infobip.taken) == 15
    world.clock.advance(60)
    await everything(*contexts)
    assert len(infobip.taken) == 25, "a quiet minute leaves no more than a second's worth"
    world.clock.advance(1)
    await everything(*contexts)
    assert len(infobip.taken) == 35


async def test_one_that_has_had_its_ration_holds_up_no_other(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    world.ctx = limited(world.ctx, infobip=1, smtp=3)
    await given_pages(world, 5)
    for place in range(5):
        await world.given_page(phone=None, email=f"m{place}@example.com")

    await world.send()

    assert (len(infobip.taken), len(smtp.mails)) == (1, 3)
    assert {row["attempts"] for row in await world.notifications()} == {0, 1}


async def test_one_that_has_enough_sends_all_beside_one_that_has_not(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    world.ctx = limited(world.ctx, infobip=1)
    await given_pages(world, 5)
    for place in range(5):
        await world.given_page(phone=None, email=f"m{place}@example.com")

    await world.send()

    assert (len(infobip.taken), len(smtp.mails)) == (1, 5)


async def test_what_is_left_over_goes_a_moment_later_by_itself(world: World) -> None:
    world.ctx = limited(world.ctx, infobip=1)
    await given_pages(world, 2)
    await world.send()
    async with asyncio.timeout(10):
        await world.ctx.send_bell.wait(60)  # the send's own end

    assert await send(world.ctx) == 0

    async with asyncio.timeout(10):
        await world.ctx.send_bell.wait(60)


async def test_a_clock_that_was_set_back_gives_nothing_away_and_takes_nothing(
    world: World, infobip: FakeInfobip
) -> None:
    world.ctx = limited(world.ctx, infobip=2)
    await given_pages(world, 9)
    await world.rows("UPDATE notification.notifications SET due_at = due_at - interval '1 hour' WHERE step = 1")
    await world.send()

    world.clock.advance(-60)
    await world.send()
    assert len(infobip.taken) == 2
    world.clock.advance(61)
    await world.send()

    assert len(infobip.taken) == 4


@pytest.mark.usefixtures("infobip")
async def test_while_nothing_is_due_nothing_is_written(world: World) -> None:
    assert await send(world.ctx) == 0

    assert await world.rows("SELECT * FROM notification.rations") == []
