"""A storm meets a provider in trouble: what is told at once is probed, held back and let go at once, too."""

from datetime import datetime, timedelta

import pytest
from pagerpal_notifier.domain.circuit import THRESHOLD
from pagerpal_notifier.loops import send

from services.notifier.tests.integration.fake_infobip import CUT, FLOODED, Answer, FakeInfobip
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.test_circuits import FIRST_PROBE, circuits
from services.notifier.tests.integration.test_storms import a_person_by_sms, given_incidents
from services.notifier.tests.integration.ways import given_rule
from services.notifier.tests.integration.world import T0, World


async def test_a_digest_in_doubt_is_a_probe_as_a_whole(world: World, infobip: FakeInfobip) -> None:
    """Its id is taken once: of what is left behind, nobody would be told."""
    ids = await given_incidents(world, await a_person_by_sms(world), 12)
    infobip.script.extend([CUT] * 10)
    await world.send()
    assert [row["state"] for row in await circuits(world)] == ["open"]
    alone = [row["id"] for row in await world.notifications() if row["merged_with"] == 0 and row["channel"] == "sms"]
    await world.rows(
        "UPDATE notification.notifications SET attempts = 5, attempts_before = 5 WHERE id = ANY(:ids)", ids=alone
    )
    infobip.script.clear()

    world.clock.advance(FIRST_PROBE)
    await world.send()

    (digest,) = [call for call in infobip.taken if call.text.startswith("CRITICAL: ")]
    assert digest.text.startswith(f"CRITICAL: 3 incidents\n#{ids[9]} ")
    told = [row for row in await world.notifications() if str(row["provider_message_id"]) == digest.message_id]
    assert [row["status"] for row in told] == ["sent"] * 3
    assert len(infobip.calls) == 20


async def test_a_digest_in_doubt_is_held_back_as_a_whole(
    world: World, infobip: FakeInfobip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large one, what a claim did not get round to would be the probe, under the id of all."""
    ids = await given_incidents(world, await a_person_by_sms(world), 16)
    infobip.script.extend([CUT] * 10)
    monkeypatch.setattr("pagerpal_notifier.gates.HELD_AT_ONCE", 12)
    await send(world.ctx)
    await world.ctx.in_flight.finish()

    await send(world.ctx)
    await world.ctx.in_flight.finish()

    digest = [row for row in await world.notifications() if row["channel"] == "sms" and row["merged_with"] == 6]
    assert [row["incident_id"] for row in digest] == ids[9:]
    assert len({(row["held_by"], row["due_at"]) for row in digest}) == 1


@pytest.mark.parametrize("trouble", [FLOODED, CUT], ids=["refused", "away"])
async def test_a_page_that_waits_for_a_digest_and_is_sent_for_sooner_says_how_late_it_is(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp, trouble: Answer
) -> None:
    user_id = await world.user()
    await given_rule(world, user_id, channel="sms")
    await given_rule(world, user_id, channel="email", seconds=60)
    await given_incidents(world, user_id, THRESHOLD)
    await world.rows(
        "UPDATE notification.notifications SET is_held = true, due_at = due_at + interval '15 min'"
        " WHERE channel = 'email'"
    )
    await world.rows("UPDATE notification.notifications SET wanted_at = :soon WHERE channel = 'sms'", soon=at(400))
    world.clock.advance(420)
    infobip.script.extend([trouble] * THRESHOLD)

    await world.send()

    (mail,) = smtp.mails
    assert mail["Subject"] == f"[CRITICAL] {THRESHOLD} incidents"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "delayed 6 min" in text.get_content()


async def test_no_message_tells_of_more_than_one_claim_looks_at(
    world: World, infobip: FakeInfobip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or in doubt, it would go again as a part of itself, under the id of all."""
    user_id = await a_person_by_sms(world)
    await given_incidents(world, user_id, 1)
    await world.send()
    world.clock.advance(400)
    await given_incidents(world, user_id, 16)
    await world.rows(
        "UPDATE notification.notifications SET wanted_at = :long_ago, is_held = id % 2 = 0,"
        " due_at = due_at + id % 2 * interval '-1 s' + (1 - id % 2) * interval '10 min' WHERE status = 'queued'",
        long_ago=T0,
    )
    monkeypatch.setattr("pagerpal_notifier.storage.due.MOST_DUE", 12)

    await send(world.ctx)
    await world.ctx.in_flight.finish()

    assert max(row["merged_with"] for row in await world.notifications()) == 11


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)
