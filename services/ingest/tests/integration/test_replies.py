"""SMS that come in, with the directory that says whose number it was."""

import pytest
from pagerpal_ingest.replies import PATH

from services.ingest.tests.integration.conftest import Door

ANA = "+491511234567"


async def has(door: Door, user_id: int, phone: str | None, *, is_active: bool = True) -> None:
    await door.execute(
        "INSERT INTO directory.users (id, name, email, role, phone, timezone, is_active, created_at) "
        "OVERRIDING SYSTEM VALUE VALUES (:id, 'X', :email, 'responder', :phone, 'UTC', :is_active, now())",
        id=user_id,
        email=f"{user_id}@example.org",
        phone=phone,
        is_active=is_active,
    )


def an_sms(sender: str) -> dict[str, object]:
    return {"results": [{"messageId": "1", "from": sender, "to": "44", "text": "ack 42"}]}


@pytest.mark.parametrize(("sender", "people"), [(ANA, (3, 5)), ("491511234568", (4,)), ("491511234569", ())])
async def test_a_reply_names_everybody_who_has_its_number(door: Door, sender: str, people: tuple[int, ...]) -> None:
    await has(door, 3, ANA)
    await has(door, 4, "+491511234568")
    await has(door, 5, ANA, is_active=False)
    await has(door, 6, None)

    answer = await door.send(PATH, an_sms(sender))

    assert answer.status_code == 200
    assert [reply.user_ids for message in door.bus.replies for reply in message.replies] == [people]


async def has_method(door: Door, user_id: int, channel: str, address: str, *, proven: str | None) -> None:
    """A contact method; `proven` is the address that it had when its owner typed the code in."""
    await door.execute(
        "WITH method AS (INSERT INTO directory.contact_methods (user_id, channel, address, created_at)"
        " VALUES (:user_id, :channel, :address, now()) RETURNING id)"
        " INSERT INTO directory.contact_proofs (user_id, method_id, address, proven_at)"
        " SELECT CAST(:user_id AS bigint), id, :proven, now() FROM method WHERE CAST(:proven AS text) IS NOT NULL",
        user_id=user_id,
        channel=channel,
        address=address,
        proven=proven,
    )


@pytest.mark.parametrize(
    ("channel", "proven", "people"),
    [
        ("sms", ANA, (3,)),
        ("voice", ANA, (3,)),
        ("sms", None, ()),
        ("sms", "+491511234599", ()),  # the code went to another number
    ],
)
async def test_a_contact_method_speaks_for_its_owner_once_it_is_proven(
    door: Door, channel: str, proven: str | None, people: tuple[int, ...]
) -> None:
    await has(door, 3, "+491511234570")
    await has_method(door, 3, channel, ANA, proven=proven)

    await door.send(PATH, an_sms(ANA))

    assert [reply.user_ids for message in door.bus.replies for reply in message.replies] == [people]


async def test_a_number_that_is_known_in_several_ways_names_everybody_once(door: Door) -> None:
    await has(door, 3, ANA)
    await has(door, 4, "+491511234570")
    await has_method(door, 3, "sms", ANA, proven=ANA)
    await has_method(door, 3, "voice", ANA, proven=ANA)
    await has_method(door, 4, "sms", ANA, proven=ANA)

    await door.send(PATH, an_sms(ANA))

    assert [reply.user_ids for message in door.bus.replies for reply in message.replies] == [(3, 4)]


async def test_while_the_directory_is_away_infobip_is_told_to_come_again(door: Door) -> None:
    await door.cable.cut()

    answer = await door.send(PATH, an_sms(ANA))

    assert (answer.status_code, door.bus.replies) == (503, [])
