"""Does the page arrive, and only once, when the provider does not behave?"""

import pytest

from tests.e2e.fake_infobip import Behaviour
from tests.e2e.pagerpal import Pagerpal, minutes


@pytest.mark.parametrize("trouble", [Behaviour.UNAVAILABLE, Behaviour.TOO_MANY, Behaviour.DROP, Behaviour.SLOW])
async def test_a_passing_trouble_delays_the_page_and_never_doubles_it(pagerpal: Pagerpal, trouble: Behaviour) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    pagerpal.provider_will("ana", trouble)
    incident = await pagerpal.open_incident(team)

    async def is_sent() -> bool:
        await pagerpal.advance(minutes(0.02))  # past the wait before the next try, not to the next step
        return [log["status"] for log in await pagerpal.logs(incident["id"]) if log["channel"] == "sms"] == ["sent"]

    await pagerpal.until("the SMS is sent", is_sent)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()


async def test_a_definite_refusal_moves_on_to_the_call_at_once(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    pagerpal.provider_will("ana", Behaviour.REJECT)

    incident = await pagerpal.open_incident(team)

    await pagerpal.expect_call("ana")
    await pagerpal.expect_quiet()
    statuses = {log["channel"]: (log["status"], bool(log["error"])) for log in await pagerpal.logs(incident["id"])}
    assert statuses == {"sms": ("failed", True), "voice": ("sent", False)}
