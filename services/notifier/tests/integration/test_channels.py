"""What each channel puts on the wire, and what it makes of the answer."""

import asyncio
from uuid import UUID, uuid4

import pytest
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels.console import ABSENT, console
from pagerpal_notifier.channels.smtp import Smtp
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pydantic import SecretStr

from services.notifier.tests.integration.fake_infobip import FakeInfobip
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.world import EMAIL, PHONE, World

ATTEMPT = UUID("01935a7e-0000-7000-8000-000000000001")


def a_claim(channel: Channel = Channel.EMAIL) -> Claim:
    page = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 2",), 2, "Bo")
    address = EMAIL if channel is Channel.EMAIL else PHONE
    return Claim(1, 42, 1, 3, 9, channel, 1, 1, 1, ATTEMPT, address, page)


async def send_mail(smtp: FakeSmtp) -> Outcome:
    async with asyncio.timeout(10):
        return await Smtp(SecretStr(smtp.url), public_url="https://pagerpal.example.com").send(a_claim())


async def test_an_sms_has_our_sender_one_destination_and_our_message_id(world: World, infobip: FakeInfobip) -> None:
    outcome = await world.ctx.providers[Channel.SMS].send(a_claim(Channel.SMS))

    assert outcome == Outcome(Verdict.ACCEPTED, "Infobip: PENDING_ACCEPTED Accepted")
    assert [call.message for call in infobip.taken] == [
        {
            "sender": "PagerPal",
            "destinations": [{"to": "436641234567", "messageId": str(ATTEMPT)}],
            "content": {
                "text": "CRITICAL #42 L2: Disk full on db1\nNext: Bo\nReply ack 42\n"
                "https://pagerpal.example.com/incidents/42"
            },
        }
    ]


async def test_a_call_speaks_from_our_number(world: World, infobip: FakeInfobip) -> None:
    outcome = await world.ctx.providers[Channel.VOICE].send(a_claim(Channel.VOICE))

    assert outcome.verdict is Verdict.ACCEPTED
    (call,) = infobip.taken
    assert call.path == "/tts/3/advanced"
    assert call.message["from"] == "43720123456"
    assert call.message["destinations"] == [{"to": "436641234567", "messageId": str(ATTEMPT)}]
    assert call.message["language"] == "en"
    assert (call.message["maxDtmf"], call.message["dtmfTimeout"], call.message["pause"]) == (1, 10, 1)
    assert "incident number 42: Disk full on db1." in call.text


async def test_connections_are_kept_between_pages(world: World, infobip: FakeInfobip) -> None:
    for _ in range(5):
        await world.given_page(email=f"{uuid4()}@example.com")
        await world.send()

    assert len(infobip.taken) == 5
    assert infobip.connections == 1


async def test_a_mail_goes_through_from_queue_to_server(world: World, smtp: FakeSmtp) -> None:
    await world.given_page(phone=None)

    await world.send()

    (row,) = await world.notifications()
    assert (row["status"], row["address"]) == ("sent", EMAIL)
    assert [attempt["provider"] for attempt in await world.attempts()] == ["smtp"]
    assert len(smtp.mails) == 1


@pytest.mark.parametrize(
    ("verb", "reply", "verdict"),
    [
        ("MAIL", "451 later", Verdict.DEFERRED),
        ("MAIL", "553 who are you", Verdict.REFUSED),
        ("RCPT", f"550 5.1.1 <{EMAIL}> unknown", Verdict.REFUSED),
        ("RCPT", "452 full", Verdict.DEFERRED),
        ("DATA", "554 no", Verdict.REFUSED),
        ("TEXT", "451 later", Verdict.DEFERRED),
        ("TEXT", "552 too big", Verdict.REFUSED),
        ("TEXT", "", Verdict.UNKNOWN),
        ("MAIL", "", Verdict.UNKNOWN),
    ],
)
async def test_what_a_mail_server_says_decides(smtp: FakeSmtp, verb: str, reply: str, verdict: Verdict) -> None:
    smtp.replies[verb] = reply

    outcome = await send_mail(smtp)

    assert outcome.verdict is verdict
    assert EMAIL not in outcome.detail


async def test_a_mail_server_that_cannot_be_reached_has_nothing() -> None:
    fake = FakeSmtp()
    async with fake.running():
        pass

    outcome = await send_mail(fake)

    assert outcome.verdict is Verdict.DEFERRED


async def test_a_password_is_never_given_without_tls(smtp: FakeSmtp) -> None:
    smtp.url = smtp.url.replace("smtp://", "smtp://ana:s3cret@")

    outcome = await send_mail(smtp)

    assert outcome.verdict is Verdict.REFUSED
    assert smtp.mails == []
    assert "AUTH" not in smtp.verbs


@pytest.mark.parametrize(
    ("channel", "masked"), [(Channel.SMS, "+43…67"), (Channel.VOICE, "+43…67"), (Channel.EMAIL, "a…@example.com")]
)
async def test_the_console_shows_the_page_and_hides_the_address(
    channel: Channel, masked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = await console(None).send(a_claim(channel))

    printed = capsys.readouterr().out
    assert outcome.verdict is Verdict.ACCEPTED
    assert printed.startswith(f"PAGE by {channel} to {masked}: ")
    assert "Disk full on db1" in printed
    assert PHONE not in printed
    assert EMAIL not in printed


@pytest.mark.parametrize("channel", Channel)
async def test_a_channel_without_a_provider_says_so(channel: Channel) -> None:
    assert await ABSENT.send(a_claim(channel)) == Outcome(Verdict.REFUSED, f"no provider is configured for {channel}")
