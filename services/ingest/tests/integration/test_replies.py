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


async def test_while_the_directory_is_away_infobip_is_told_to_come_again(door: Door) -> None:
    await door.cable.cut()

    answer = await door.send(PATH, an_sms(ANA))

    assert (answer.status_code, door.bus.replies) == (503, [])
