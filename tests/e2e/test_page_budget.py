"""What does one person get when everything breaks at once? A few messages that tell of all of it."""

import asyncio
import re

from tests.e2e.fake_infobip import Asked
from tests.e2e.pagerpal import Pagerpal, hours, minutes

STORM = 40
MOST = 13
"""Messages: what goes alone, and a digest for each time that more has come after the budget was used up."""


def sms_to(pagerpal: Pagerpal, name: str) -> list[Asked]:
    """Taken since the story began, and expected by it."""
    number = pagerpal.people[name].phone.lstrip("+")
    pages = [(place, page) for place, page in pagerpal.deployment.infobip.pages() if page.number == number]
    pagerpal.deployment.consumed.update(place for place, page in pages if page.kind == "sms")
    return [page for _, page in pages if page.kind == "sms"]


def told_of(page: Asked) -> int:
    """How many incidents a message names or counts."""
    counted = re.match(r"\w+: (\d+) incidents", page.text)
    return int(counted[1]) if counted else 1


async def test_a_storm_reaches_one_person_in_a_few_messages_and_every_incident_is_told_of(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(1))
    pagerpal.allow_calls("ana")
    begun = pagerpal.deployment.clock.now()

    answers = await asyncio.gather(
        *(pagerpal.send_alert(team, external_id=f"db-{place}", title=f"db-{place} is down") for place in range(STORM))
    )
    assert all(answer.status_code in {201, 202} for answer in answers)

    async def opened() -> bool:
        return len(await pagerpal.incidents_of(team)) == STORM

    await pagerpal.until("every alert has opened an incident", opened)
    for _ in range(2):
        await pagerpal.settle()
        assert len(sms_to(pagerpal, "ana")) <= MOST
        await pagerpal.advance(minutes(3.1))
    await pagerpal.settle()

    pages = sms_to(pagerpal, "ana")
    assert len(pages) <= MOST
    assert sum(map(told_of, pages)) == STORM
    for incident in await pagerpal.incidents_of(team):
        (log,) = [log for log in await pagerpal.logs(incident["id"]) if log["channel"] == "sms"]
        assert log["status"] == "sent"
        (page,) = [page for page in pages if page.message_id == log["provider_message_id"]]
        is_digest = told_of(page) > 1
        others = told_of(page) - 1
        merged = f"merged with {others} other{'' if others == 1 else 's'} into one message"
        assert is_digest == (log["reason"][-1] == merged)
        assert is_digest or f"#{incident['id']} " in page.text
    window = f"from={begun:%Y-%m-%dT%H:%M:%SZ}&to={pagerpal.deployment.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    accounts = await pagerpal.get(f"/api/v1/audit/pages?{window}")
    parts = [accounts[part] for part in ("paged", "pending", "deduplicated", "suppressed", "failed")]
    assert accounts["accepted"] == sum(parts)
    assert accounts["paged"] >= STORM
