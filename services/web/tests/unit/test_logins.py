"""What is remembered of logins, and how many passwords are checked at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import Parameters, extract_parameters
from pagerpal_common.errors import TooManyTries, Unavailable
from pagerpal_web import logins
from pagerpal_web import passwords as module
from pagerpal_web.domain.attempts import Attempts, Guessing
from pagerpal_web.passwords import Passwords

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
ANA = "ana@example.org"


class Checks(Passwords):
    """Counts the argon2 runs."""

    count = 0

    async def is_right(self, password: str, stored: str | None) -> bool:
        self.count += 1
        return await super().is_right(password, stored)


async def are_right(
    remembered: logins.Logins, email: str, password: str, stored: str | None, at: datetime = T0, address: str = "a"
) -> bool:
    return await remembered.are_right(email, password, stored, guessing=Guessing(email, address), at=at)


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "REMEMBERED_LIMIT", 3)
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    remembered = logins.Logins(passwords, Attempts())
    for number in range(5):
        assert await are_right(remembered, f"u{number}@example.org", PASSWORD, stored)
    assert len(remembered._right) == 3
    passwords.close()


async def test_checking_an_unknown_login_takes_as_long_as_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same work is done: one run of argon2 with the same parameters. A clock tells that of an idle machine only."""
    runs: list[Parameters] = []
    verify = module._verify

    def noted(stored: str, password: str) -> bool:
        is_right = verify(stored, password)
        runs.append(extract_parameters(stored))
        return is_right

    monkeypatch.setattr(module, "_verify", noted)
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)

    assert not await passwords.is_right("wrong", stored)
    assert not await passwords.is_right("wrong", None)

    passwords.close()
    real, unknown = runs
    assert real == unknown == extract_parameters(stored)


async def test_the_same_credentials_at_once_are_checked_once() -> None:
    passwords = Checks(waiting_limit=0)
    stored = await passwords.hash(PASSWORD)
    remembered = logins.Logins(passwords, Attempts())
    results = await asyncio.gather(*(are_right(remembered, ANA, PASSWORD, stored) for _ in range(50)))
    passwords.close()
    assert results == [True] * 50
    assert passwords.count == 1


async def test_different_credentials_at_once_are_bounded() -> None:
    passwords = Passwords(waiting_limit=1)
    results = await asyncio.gather(
        *(passwords.is_right(f"wrong {number}", None) for number in range(30)), return_exceptions=True
    )
    passwords.close()
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert refused
    assert [result for result in results if not isinstance(result, Unavailable)] == [False] * (30 - len(refused))


async def test_a_clock_that_is_set_back_does_not_make_anything_remembered_for_longer() -> None:
    passwords = Checks()
    stored = await passwords.hash(PASSWORD)
    remembered = logins.Logins(passwords, Attempts())
    for at in (T0, T0 - timedelta(days=1)):
        assert await are_right(remembered, ANA, PASSWORD, stored, at)
    passwords.close()
    assert passwords.count == 2


async def test_the_right_password_of_a_moment_ago_is_right_however_many_were_wrong_since() -> None:
    passwords = Checks()
    stored = await passwords.hash(PASSWORD)
    remembered = logins.Logins(passwords, Attempts())
    assert await are_right(remembered, ANA, PASSWORD, stored)
    for number in range(5):
        assert not await are_right(remembered, ANA, f"wrong {number}", stored)

    with pytest.raises(TooManyTries):
        await are_right(remembered, ANA, "wrong again", stored)

    assert passwords.count == 6
    assert await are_right(remembered, ANA, PASSWORD, stored)
    assert passwords.count == 6
    passwords.close()


async def test_wrong_passwords_that_come_all_at_once_are_counted_before_any_is_checked() -> None:
    passwords = Checks()
    stored = await passwords.hash(PASSWORD)
    remembered = logins.Logins(passwords, Attempts())
    results = await asyncio.gather(
        *(are_right(remembered, ANA, f"wrong {number}", stored) for number in range(20)), return_exceptions=True
    )
    passwords.close()
    assert passwords.count == 5
    assert sum(isinstance(result, TooManyTries) for result in results) == 15


async def test_a_try_that_our_own_trouble_stopped_is_not_held_against_anybody() -> None:
    passwords = Passwords(waiting_limit=-1000)
    remembered = logins.Logins(passwords, Attempts())
    for number in range(50):
        with pytest.raises(Unavailable):
            await are_right(remembered, ANA, f"wrong {number}", None)
    passwords.close()
