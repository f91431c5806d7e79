"""Which passwords are refused? Those that guessers try first, and nothing else."""

import pytest
from pagerpal_common.errors import Unprocessable
from pagerpal_web.domain.password_rules import is_own, is_well_known
from pagerpal_web.passwords import Passwords
from pydantic import SecretStr


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Password1234!",
        "passwordpassword",
        "123456789012",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "iloveyou1234",
        "letmein12345",
        "administrator",
        "changemechangeme",
        "trustno1trustno1",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "x" * 128,
    ],
)
def test_well_known_ones_are_refused(password: str) -> None:
    assert is_well_known(password)


@pytest.mark.parametrize(
    "password",
    [
        "new-long-password",  # the API reference's own
        "old-password",  # that, too
        "correct horse battery",
        "   twelve spaces are some   ",
        "только кириллица здесь",
        "四つの言葉を並べた合言葉です",
        "kzmvhqwpxrtg",
        "739105826471",
        "🐘🦒🐢🦉🐝🦊🐼🐧🦔🐙🦋🐬",
    ],
)
def test_long_ones_need_no_digit_no_capital_and_no_sign(password: str) -> None:
    assert not is_well_known(password)


@pytest.mark.parametrize(
    "password", ["ana.lopez@example.org", "ANA.LOPEZ@EXAMPLE.ORG", "ana.lopez", "Ana Lopez Diaz", "analopezdiaz"]
)
def test_what_everybody_knows_of_somebody_is_not_their_password(password: str) -> None:
    assert is_own(password, ("ana.lopez@example.org", "Ana Lopez Diaz", None, ""))


def test_somebody_elses_name_may_be() -> None:
    assert not is_own("ana.lopez@example.org", ("bo@example.org", "Bo"))
    assert not is_own("", (None, ""))


async def test_a_refusal_names_the_field_and_not_the_password() -> None:
    passwords = Passwords()
    for given, own in (("password1234", ()), ("analopezdiaz", ("Ana Lopez Diaz",))):
        with pytest.raises(Unprocessable) as caught:
            await passwords.hash_new(SecretStr(given), own=own, field="new_password")
        assert caught.value.problems[0]["loc"] == ["body", "new_password"]
        assert given not in repr(caught.value.problems)
    passwords.close()
