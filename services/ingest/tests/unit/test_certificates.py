"""When is Amazon asked for a certificate, and what if it does not answer?"""

import asyncio
from collections.abc import Awaitable

import pytest
from pagerpal_common.errors import Forbidden, Unavailable
from pagerpal_ingest import certificates as module
from pagerpal_ingest.amazon import Fetched
from pagerpal_ingest.certificates import Certificates

from services.ingest.tests.conftest import TestClock, ticks
from services.ingest.tests.fake_amazon import CERTIFICATE, HOST, FakeAmazon, certificate


@pytest.fixture
def amazon() -> FakeAmazon:
    return FakeAmazon()


@pytest.fixture
def certificates(amazon: FakeAmazon, clock: TestClock) -> Certificates:
    return Certificates(amazon.fetch, clock)


async def refused(asking: Awaitable[object]) -> str:
    """Why it cannot be had."""
    with pytest.raises(Unavailable) as error:
        await asking
    return str(error.value)


async def test_a_certificate_is_fetched_once_for_as_long_as_it_is_good(
    certificates: Certificates, amazon: FakeAmazon, clock: TestClock
) -> None:
    for days in (0, 100, 200):
        clock.advance(days=days)
        await certificates.find(CERTIFICATE)
    assert amazon.fetched == [CERTIFICATE]

    clock.advance(days=100)
    assert "clock" in await refused(certificates.find(CERTIFICATE))
    amazon.answers[CERTIFICATE] = Fetched(200, certificate(days=1000))
    clock.advance(seconds=5)
    await certificates.find(CERTIFICATE)


async def test_those_who_ask_at_once_share_a_fetch_and_nobody_s_leaving_ends_it(
    certificates: Certificates, amazon: FakeAmazon
) -> None:
    amazon.gate.clear()
    asking = [asyncio.create_task(certificates.find(CERTIFICATE)) for _ in range(100)]
    await ticks()
    asking[0].cancel()
    await ticks()
    amazon.gate.set()

    found = await asyncio.gather(*asking[1:])

    assert len(set(map(id, found))) == 1
    assert amazon.fetched == [CERTIFICATE]


async def test_all_who_wait_hear_of_a_failure(certificates: Certificates, amazon: FakeAmazon) -> None:
    amazon.gate.clear()
    amazon.is_away = True
    asking = [asyncio.create_task(certificates.find(CERTIFICATE)) for _ in range(3)]
    await ticks()
    amazon.gate.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(answer) for answer in answers] == [Unavailable] * 3


async def test_one_that_cannot_be_had_is_asked_for_again_soon_but_not_at_once(
    certificates: Certificates, amazon: FakeAmazon, clock: TestClock
) -> None:
    amazon.is_away = True
    for seconds in (0, 1, 2, 1.9):
        clock.advance(seconds=seconds)
        await refused(certificates.find(CERTIFICATE))
    assert len(amazon.fetched) == 1

    amazon.is_away = False
    clock.advance(seconds=0.1)
    await certificates.find(CERTIFICATE)
    assert len(amazon.fetched) == 2


async def test_how_long_it_has_been_missing_is_known_until_it_is_had(
    certificates: Certificates, amazon: FakeAmazon, clock: TestClock
) -> None:
    assert certificates.missing_for(CERTIFICATE).total_seconds() == 0
    amazon.is_away = True
    for _ in range(3):
        await refused(certificates.find(CERTIFICATE))
        clock.advance(seconds=20)
    assert certificates.missing_for(CERTIFICATE).total_seconds() == 60

    amazon.is_away = False
    await certificates.find(CERTIFICATE)
    assert certificates.missing_for(CERTIFICATE).total_seconds() == 0


@pytest.mark.parametrize("answer", [Fetched(500, b""), Fetched(403, b""), Fetched(302, b""), Fetched(200, b"<html>")])
async def test_any_other_answer_is_trouble_and_no_proof(
    certificates: Certificates, amazon: FakeAmazon, answer: Fetched
) -> None:
    amazon.answers[CERTIFICATE] = answer

    assert "certificate" in await refused(certificates.find(CERTIFICATE))


async def test_a_certificate_of_somebody_else_is_refused_for_good(
    certificates: Certificates, amazon: FakeAmazon
) -> None:
    amazon.answers[CERTIFICATE] = Fetched(200, certificate("evil.example"))

    with pytest.raises(Forbidden):
        await certificates.find(CERTIFICATE)


async def test_what_is_remembered_is_bounded(certificates: Certificates, amazon: FakeAmazon, clock: TestClock) -> None:
    urls = [f"{HOST}/SimpleNotificationService-{number:032x}.pem" for number in range(module.KNOWN_LIMIT + 1)]
    amazon.answers |= dict.fromkeys(urls, Fetched(200, certificate()))
    for url in urls:
        await certificates.find(url)

    await certificates.find(urls[-1])
    assert len(amazon.fetched) == len(urls)
    await certificates.find(urls[0])
    assert len(amazon.fetched) == len(urls) + 1

    amazon.is_away = True
    others = [f"{HOST}/SimpleNotificationService-{number:032x}.pem" for number in range(100, 200)]
    for url in others:
        await refused(certificates.find(url))
    clock.advance(seconds=60)
    assert certificates.missing_for(others[0]).total_seconds() == 0
    assert certificates.missing_for(others[-1]).total_seconds() == 60


async def test_stopping_waits_for_what_is_being_fetched(certificates: Certificates, amazon: FakeAmazon) -> None:
    await certificates.finish()
    amazon.gate.clear()
    asking = asyncio.create_task(certificates.find(CERTIFICATE))
    await ticks()
    finishing = asyncio.create_task(certificates.finish())
    await ticks()
    assert not finishing.done()

    amazon.gate.set()
    await finishing
    await asking
