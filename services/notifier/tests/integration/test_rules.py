"""People who are paged by rules of their own: which, where to, and what happens when that leads nowhere."""

from datetime import timedelta

import pytest
from pagerpal_common.contracts.notifications import RetryNotifications
from pagerpal_notifier.domain.delivery import Verdict
from pagerpal_notifier.handlers import retry_notifications
from pagerpal_notifier.loops import take_up

from services.notifier.tests.integration.fake_infobip import FakeInfobip, http
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.ways import HOOK, SECOND_PHONE, Hook, given_method, given_rule, prove
from services.notifier.tests.integration.world import T0, World


@pytest.fixture
def hook(world: World) -> Hook:
    hook = Hook()
    hook.serve(world)
    return hook


async def page(world: World, user_id: int, *, severity: str = "critical") -> int:
    """A page for a new incident of this severity, taken up; the incident's id."""
    incident_id = await world.incident()
    await world.rows("UPDATE incidents.incidents SET severity = :s WHERE id = :id", s=severity, id=incident_id)
    await world.page_request(incident_id, user_id)
    assert await take_up(world.ctx) == 1
    return incident_id


async def test_a_page_goes_by_the_rules_for_the_incidents_severity(
    world: World, infobip: FakeInfobip, hook: Hook
) -> None:
    user_id = await world.user()
    method_id = await given_method(world, user_id)
    rule_id = await given_rule(world, user_id, method_id=method_id, severity="info")
    await given_rule(world, user_id, channel="voice", severity="critical", seconds=30)

    await page(world, user_id, severity="info")
    await world.send()

    (row,) = await world.notifications()
    assert (row["channel"], row["contact_method_id"], row["status"]) == ("webhook", method_id, "sent")
    assert row["reason"][-1] == f"rule {rule_id} for info: webhook at once"
    (claim,) = hook.claims
    assert (claim.address, claim.signing_secret) == (HOOK, "secret-word")
    assert HOOK not in repr(claim)
    assert "secret-word" not in repr(claim)

    await page(world, user_id, severity="critical")

    call = (await world.notifications())[-1]
    assert (call["channel"], call["contact_method_id"], call["due_at"]) == ("voice", None, T0 + timedelta(seconds=30))
    assert not infobip.calls


async def test_a_second_phone_is_rung_at_its_own_number(world: World, infobip: FakeInfobip) -> None:
    user_id = await world.user()
    method_id = await given_method(world, user_id, channel="sms", address=SECOND_PHONE, secret=None)
    await given_rule(world, user_id, method_id=method_id)
    await given_rule(world, user_id, channel="sms")

    await page(world, user_id)
    await world.send()

    assert sorted(call.to for call in infobip.taken) == ["436641234567", SECOND_PHONE.lstrip("+")]
    assert [row["step"] for row in await world.notifications()] == [1, 2]


async def test_the_address_is_that_of_the_moment_of_sending(world: World, infobip: FakeInfobip) -> None:
    user_id = await world.user()
    method_id = await given_method(world, user_id, channel="sms", address=SECOND_PHONE)
    await given_rule(world, user_id, method_id=method_id)
    await page(world, user_id)
    await world.rows("UPDATE directory.contact_methods SET address = '+4366499999999'")
    await prove(world, method_id)

    await world.send()

    assert [call.to for call in infobip.taken] == ["4366499999999"]


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_method_that_is_gone_or_changed_before_it_is_used_gives_way_to_the_next_at_once(
    world: World, infobip: FakeInfobip, hook: Hook, is_gone: bool
) -> None:
    user_id = await world.user()
    method_id = await given_method(world, user_id)
    await given_rule(world, user_id, method_id=method_id)
    await given_rule(world, user_id, channel="sms", seconds=600)
    await page(world, user_id)
    if is_gone:
        await world.rows("DELETE FROM directory.notification_rules")
        await world.rows("DELETE FROM directory.contact_methods")
    else:
        await world.rows("UPDATE directory.contact_methods SET address = address || '/other'")

    await world.send()

    lost, sms = await world.notifications()
    assert (lost["status"], lost["error"]) == (
        "failed",
        f"contact method {method_id} is gone, or not verified any more",
    )
    assert (sms["status"], sms["sent_at"]) == ("sent", T0)
    assert not hook.claims


async def test_somebody_elses_method_is_never_used(world: World, hook: Hook) -> None:
    ana, bo = await world.user(), await world.user(email="bo@example.com")
    method_id = await given_method(world, bo)
    await given_rule(world, ana, channel="sms")
    await page(world, ana)
    await world.rows("UPDATE notification.notifications SET channel = 'webhook', contact_method_id = :id", id=method_id)

    await world.send()

    assert not hook.claims


async def test_an_unverified_method_fails_with_its_reason_and_the_next_goes_at_once(
    world: World, infobip: FakeInfobip, hook: Hook
) -> None:
    user_id = await world.user()
    method_id = await given_method(world, user_id, is_proven=False)
    await given_rule(world, user_id, method_id=method_id)
    await given_rule(world, user_id, channel="voice", seconds=300)

    await page(world, user_id)
    await world.send()

    lost, call = await world.notifications()
    assert (lost["status"], lost["error"]) == ("failed", f"contact method {method_id} is not verified")
    assert (call["status"], call["sent_at"]) == ("sent", T0)
    assert await world.settled() == [lost["id"], call["id"]]
    assert not hook.claims


async def test_when_the_only_rule_fails_the_persons_phone_and_mail_are_the_last_resort(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp, hook: Hook
) -> None:
    user_id = await world.user()
    await given_rule(world, user_id, method_id=await given_method(world, user_id))
    hook.verdict = Verdict.REFUSED

    await page(world, user_id)
    await world.send()

    rows = await world.notifications()
    assert sorted((row["channel"], row["status"]) for row in rows) == [
        ("email", "sent"),
        ("sms", "sent"),
        ("voice", "sent"),
        ("webhook", "failed"),
    ]
    assert {row["reason"][-1] for row in rows[1:]} == {
        "last resort: SMS, as nothing else has gone",
        "last resort: call, as nothing else has gone",
        "last resort: mail, as nothing else has gone",
    }
    assert len(infobip.taken) == 2
    assert len(smtp.mails) == 1


async def test_a_mail_to_another_address_does_not_stand_for_ones_own(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    user_id = await world.user(phone=None)
    method_id = await given_method(world, user_id, channel="email", address="other@example.com")
    await given_rule(world, user_id, method_id=method_id)
    await page(world, user_id)
    await world.rows("DELETE FROM directory.contact_proofs")

    await world.send()

    assert [(row["status"], row["address"]) for row in await world.notifications()] == [
        ("failed", None),
        ("sent", "ana@example.com"),
    ]


async def test_a_step_that_failed_when_it_was_planned_does_not_hide_the_one_after_it(
    world: World, infobip: FakeInfobip, hook: Hook
) -> None:
    user_id = await world.user()
    await given_rule(world, user_id, method_id=await given_method(world, user_id))
    lost = await given_method(world, user_id, channel="sms", address=SECOND_PHONE, is_proven=False)
    await given_rule(world, user_id, method_id=lost, seconds=100)
    await given_rule(world, user_id, channel="voice", seconds=900)
    hook.verdict = Verdict.REFUSED

    await page(world, user_id)
    await world.send()

    assert [(row["channel"], row["status"]) for row in await world.notifications()] == [
        ("webhook", "failed"),
        ("sms", "failed"),
        ("voice", "sent"),
    ]


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_retry_leads_to_a_method_only_while_it_is_there(world: World, hook: Hook, is_gone: bool) -> None:
    user_id = await world.user(phone=None, email="")
    await given_rule(world, user_id, method_id=await given_method(world, user_id))
    hook.verdict = Verdict.REFUSED
    incident_id = await page(world, user_id)
    await world.send()
    hook.verdict = Verdict.ACCEPTED
    if is_gone:
        await world.rows("DELETE FROM directory.contact_proofs")
    command = RetryNotifications(incident_id=incident_id, actor_user_id=1, acting_as_user_id=1, occurred_at=T0)

    answer = await retry_notifications(world.ctx, command)
    await world.send()

    assert (answer.retried_count, answer.queued_count) == (1, 0 if is_gone else 1)
    assert await world.statuses() == ["failed" if is_gone else "sent"]


async def test_rules_change_nothing_of_what_was_planned_before(world: World, infobip: FakeInfobip) -> None:
    infobip.script.append(http(400))
    user_id = await world.user()
    await page(world, user_id)
    await given_rule(world, user_id, channel="email")

    await world.send()

    assert [(row["channel"], row["status"]) for row in await world.notifications()] == [
        ("sms", "failed"),
        ("voice", "sent"),
    ]
