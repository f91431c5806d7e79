"""Codes and test pages: what goes out, what is kept of it, and what whoever asked is told."""

import re
from typing import Any, cast
from uuid import UUID

import pytest
from pagerpal_common.codes import KeptCode, is_right
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome, ContactChecked
from pagerpal_common.errors import NotFound
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.checks import check_contact
from pagerpal_notifier.domain.delivery import Verdict
from pagerpal_notifier.domain.page import Notice
from pagerpal_notifier.storage.checks import KEPT

from services.notifier.tests.integration.fake_infobip import TAKEN_THEN_CUT, FakeInfobip, http, refused
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.ways import HOOK, Hook, given_method
from services.notifier.tests.integration.world import EMAIL, PHONE, T0, World


async def a_check(world: World, *, kind: str = "code", channel: str = "sms", address: str = PHONE) -> UUID:
    """As web writes it before it asks."""
    check_id = uuid7()
    (user,) = await world.rows("SELECT id FROM directory.users") or [{"id": await world.user()}]
    await world.rows(
        "INSERT INTO directory.contact_checks (id, user_id, method_id, kind, channel, address, requested_at)"
        " VALUES (:id, :user_id, 1001, :kind, :channel, :address, :now)",
        id=check_id,
        user_id=user["id"],
        kind=kind,
        channel=channel,
        address=address,
        now=world.clock(),
    )
    return check_id


async def ask(world: World, check_id: UUID) -> ContactChecked:
    return await check_contact(world.ctx, CheckContact(check_id=check_id, occurred_at=T0))


def the_code_in(text: str) -> str:
    (code,) = re.findall(r"\b\d{6}\b", text)
    return str(code)


async def codes(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM notification.contact_codes")


async def test_a_code_goes_by_the_channel_itself_and_only_its_hash_stays(
    world: World, infobip: FakeInfobip, capsys: pytest.CaptureFixture[str]
) -> None:
    check_id = await a_check(world)

    told = await ask(world, check_id)

    assert told.outcome is CheckOutcome.SENT
    (message,) = infobip.taken
    assert (message.to, message.message_id) == (PHONE.lstrip("+"), str(check_id))
    code = the_code_in(message.text)
    (row,) = await codes(world)
    assert (row["check_id"], row["created_at"]) == (check_id, T0)
    assert is_right(code, KeptCode(row["salt"], row["code_hash"]))
    assert code not in str(row)
    assert code not in told.model_dump_json()
    assert code not in capsys.readouterr().out


async def test_a_mail_and_a_webhook_get_theirs(world: World, smtp: FakeSmtp) -> None:
    hook = Hook()
    hook.serve(world)
    await given_method(world, await world.user())
    mail_id = await a_check(world, channel="email", address=EMAIL)
    hook_id = await a_check(world, channel="webhook", address=HOOK)

    assert (await ask(world, mail_id)).outcome is CheckOutcome.SENT
    assert (await ask(world, hook_id)).outcome is CheckOutcome.SENT

    (mail,) = smtp.mails
    text = mail.get_body(("plain",))
    assert text is not None
    assert the_code_in(text.get_content())
    (claim,) = hook.claims
    assert isinstance(claim.page, Notice)
    assert the_code_in(claim.page.text)


async def test_a_webhooks_code_is_signed_like_its_pages(world: World) -> None:
    hook = Hook()
    hook.serve(world)
    user_id = await world.user()
    method_id = await given_method(world, user_id)
    check_id = await a_check(world, channel="webhook", address=HOOK)
    await world.rows("UPDATE directory.contact_checks SET method_id = :id", id=method_id)

    await ask(world, check_id)

    assert hook.claims[0].signing_secret == "secret-word"


async def test_a_test_page_says_so_and_keeps_no_code(world: World, infobip: FakeInfobip) -> None:
    told = await ask(world, await a_check(world, kind="test", channel="voice"))

    assert told.outcome is CheckOutcome.SENT
    (call,) = infobip.taken
    assert (call.path, call.text[:33]) == ("/tts/3/advanced", "This is a test page from PagerPal")
    assert await codes(world) == []
    assert await world.notifications() == []


async def test_what_the_provider_says_is_what_the_person_is_told(world: World, infobip: FakeInfobip) -> None:
    infobip.script.extend([refused(6, "REJECTED_NETWORK", description=f"no way to {PHONE}"), http(503), TAKEN_THEN_CUT])

    definite = await ask(world, await a_check(world))
    busy = await ask(world, await a_check(world))
    broken = await ask(world, await a_check(world))

    assert definite.outcome is CheckOutcome.REFUSED
    assert "REJECTED_NETWORK" in definite.detail
    assert PHONE.lstrip("+") not in definite.detail
    assert (busy.outcome, broken.outcome) == (CheckOutcome.UNCERTAIN, CheckOutcome.UNCERTAIN)


async def test_a_bug_in_a_channel_is_trouble_of_ours(world: World) -> None:
    del cast(dict[Channel, Provider], world.ctx.providers)[Channel.SLACK]

    told = await ask(world, await a_check(world, channel="slack", address=HOOK))

    assert (told.outcome, told.detail) == (CheckOutcome.UNCERTAIN, "a bug of ours: KeyError")


async def test_the_same_message_again_sends_no_second_code(world: World, infobip: FakeInfobip) -> None:
    check_id = await a_check(world)
    await ask(world, check_id)

    again = await ask(world, check_id)

    assert again.outcome is CheckOutcome.UNCERTAIN
    assert len(infobip.calls) == 1
    (row,) = await codes(world)
    assert is_right(the_code_in(infobip.taken[0].text), KeptCode(row["salt"], row["code_hash"]))


async def test_a_check_that_is_over_or_unknown_sends_nothing(world: World, infobip: FakeInfobip) -> None:
    check_id = await a_check(world)
    await world.rows("UPDATE directory.contact_checks SET is_open = false")

    for number in (check_id, uuid7()):
        with pytest.raises(NotFound):
            await ask(world, number)

    assert not infobip.calls


async def test_old_codes_are_forgotten(world: World, infobip: FakeInfobip) -> None:
    await ask(world, await a_check(world))
    world.clock.advance(KEPT.total_seconds() + 1)

    check_id = await a_check(world)
    await ask(world, check_id)

    assert [row["check_id"] for row in await codes(world)] == [check_id]


async def test_without_a_provider_it_is_a_refusal(world: World) -> None:
    hook = Hook()
    hook.serve(world)
    hook.verdict = Verdict.REFUSED

    told = await ask(world, await a_check(world, channel="webhook", address=HOOK))

    assert (told.outcome, told.detail) == (CheckOutcome.REFUSED, "the hook says refused")
