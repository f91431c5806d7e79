"""What Infobip says of messages when it is asked, and that it joins with its receipts."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.errors import Unavailable
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier import receipts
from pagerpal_notifier.channels import POLL_LIMIT, Poll
from pagerpal_notifier.domain.receipts import read

from services.notifier.tests.integration.fake_infobip import CUT, FakeInfobip, http
from services.notifier.tests.integration.world import PHONE, World

PATHS = {Channel.SMS: "/sms/3/logs", Channel.VOICE: "/voice/1/logs"}


def poll_of(world: World, channel: Channel) -> Poll:
    poll = world.ctx.providers[channel].poll
    assert poll is not None
    return poll


def logged(message_id: UUID, group: str, name: str, **more: Any) -> dict[str, Any]:
    """As in the examples of Infobip's logs, with more in it than we read."""
    status = {"groupId": 3, "groupName": group, "id": 5, "name": name, "description": "Words"}
    error = {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "description": "", "permanent": False}
    return {"messageId": str(message_id), "destination": PHONE, "status": status, "error": error, **more}


@pytest.mark.parametrize("channel", PATHS)
async def test_the_log_is_asked_for_each_message_as_often_as_one_likes(
    world: World, infobip: FakeInfobip, channel: Channel
) -> None:
    known, unknown = uuid4(), uuid4()
    infobip.logs[str(known)] = logged(known, "DELIVERED", "DELIVERED_TO_HANDSET")

    said = await poll_of(world, channel)([known, unknown])
    again = await poll_of(world, channel)([known, unknown])

    assert (
        said
        == again
        == {
            known: DeliveryReceipt(
                message_id=known, group="DELIVERED", name="DELIVERED_TO_HANDSET", error_code=0, is_permanent=False
            )
        }
    )
    assert sorted(infobip.asked) == sorted([(PATHS[channel], str(known)), (PATHS[channel], str(unknown))] * 2)


async def test_a_log_may_say_which_key_was_pressed(world: World, infobip: FakeInfobip) -> None:
    number = uuid4()
    infobip.logs[str(number)] = logged(number, "DELIVERED", "DELIVERED", voiceCall={"dtmfCodes": "1"})

    said = await poll_of(world, Channel.VOICE)([number])

    assert said[number].digits == "1"


async def test_what_is_asked_ends_as_what_is_received_does(world: World, infobip: FakeInfobip) -> None:
    await world.given_page()
    await world.send()
    sms = (await world.notifications())[0]
    number = sms["provider_message_id"]
    await world.settled()
    infobip.logs[str(number)] = logged(number, "UNDELIVERABLE", "UNDELIVERABLE_NOT_DELIVERED")

    for _ in range(2):
        said = await poll_of(world, Channel.SMS)([number])
        words = {one: word for one, receipt in said.items() if (word := read(receipt, at=world.clock())) is not None}
        await receipts.take(world.ctx, words)

    assert (await world.statuses())[0] == "failed"
    assert await world.settled() == [sms["id"]]


@pytest.mark.parametrize(
    "answer",
    [
        CUT,
        http(500),
        http(401),
        http(429),
        http(200, b"<html>"),
        http(200, b"[]"),
        http(200, b'{"results": null}'),
        http(200, b'{"results": [' + b" " * 300_000 + b"]}"),
    ],
    ids=["cut", "500", "401", "429", "html", "list", "null", "long"],
)
async def test_without_a_good_answer_nothing_is_known(world: World, infobip: FakeInfobip, answer: Any) -> None:
    infobip.script.append(answer)

    with pytest.raises(Unavailable):
        await poll_of(world, Channel.SMS)([uuid4(), uuid4()])


async def test_another_messages_log_is_not_taken_for_ours(world: World, infobip: FakeInfobip) -> None:
    asked = uuid4()
    infobip.logs[str(asked)] = logged(uuid4(), "DELIVERED", "DELIVERED_TO_HANDSET")

    assert await poll_of(world, Channel.SMS)([asked]) == {}


async def test_as_many_as_are_allowed_are_asked_a_few_at_a_time(world: World, infobip: FakeInfobip) -> None:
    numbers = [uuid4() for _ in range(POLL_LIMIT)]
    infobip.logs = {str(one): logged(one, "PENDING", "PENDING_ENROUTE") for one in numbers}

    async with asyncio.timeout(10):
        said = await poll_of(world, Channel.SMS)(numbers)

    assert set(said) == set(numbers)
    assert infobip.connections <= 4, "most connections are left to pages"
    with pytest.raises(ValueError, match="50"):
        await poll_of(world, Channel.SMS)([*numbers, uuid4()])


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEBHOOK, Channel.SLACK])
async def test_others_cannot_be_asked(world: World, channel: Channel) -> None:
    assert world.ctx.providers[channel].poll is None
