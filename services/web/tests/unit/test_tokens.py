"""Which tokens are believed? Ours, as they were made, for what they were made for, until they end: no others."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jose import jwt
from pagerpal_web.tokens import Claims, Tokens, _number

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
UNTIL = T0 + timedelta(days=7)
KEY, OTHER_KEY, OLD_KEY = b"k" * 32, b"o" * 32, b"p" * 32
CLAIMS = Claims("7", "a number")
OURS = Tokens("session", [KEY, OLD_KEY])

CONTENT: dict[str, Any] = {
    "iss": "pagerpal",
    "aud": "session",
    "sub": "7",
    "jti": "a number",
    "iat": int(T0.timestamp()),
    "exp": int(UNTIL.timestamp()),
}


def forged(content: dict[str, Any], *, key: bytes = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    """What somebody who has our key could make with python-jose."""
    return jwt.encode(content, key, algorithm, headers={"kid": _number(KEY), **headers})


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CONTENT.items() if key != name}


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_what_we_sign_we_read_until_it_ends_whatever_the_machines_clock_says() -> None:
    token = OURS.sign(CLAIMS, at=T0, until=UNTIL)

    assert OURS.read(token, at=T0) == CLAIMS
    assert OURS.read(token, at=UNTIL - timedelta(seconds=1)) == CLAIMS
    assert OURS.read(token, at=UNTIL) is None


def test_the_forger_of_these_tests_would_be_believed_if_it_forged_nothing() -> None:
    assert OURS.read(forged(CONTENT), at=T0) == CLAIMS


@pytest.mark.parametrize("name", CONTENT)
def test_no_claim_may_be_missing(name: str) -> None:
    assert OURS.read(forged(without(name)), at=T0) is None


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "another purpose"},
        {"aud": ["session", "another purpose"]},
        {"aud": None},
        {"sub": 7},
        {"sub": None},
        {"jti": 7},
        {"iat": "yesterday"},
        {"exp": "tomorrow"},
        {"exp": 1e30},
        {"exp": True},
        {"admin": True},
        {"nbf": 0},
    ],
    ids=str,
)
def test_no_claim_may_be_another(change: dict[str, Any]) -> None:
    assert OURS.read(forged({**CONTENT, **change}), at=T0) is None


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_our_key(algorithm: str) -> None:
    assert OURS.read(forged(CONTENT, algorithm=algorithm), at=T0) is None


@pytest.mark.parametrize("signature", ["", "A" * 43])
@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "XXHS256", ""])
def test_a_token_without_a_signature_is_refused(algorithm: str, signature: str) -> None:
    header = {"alg": algorithm, "typ": "JWT", "kid": _number(KEY)}
    assert OURS.read(f"{encoded(header)}.{encoded(CONTENT)}.{signature}", at=T0) is None


@pytest.mark.parametrize(
    "headers", [{"crit": ["exp"]}, {"jwk": {"kty": "oct", "k": "AAAA"}}, {"typ": "at+jwt"}, {"kid": "x"}, {"kid": None}]
)
def test_a_header_that_is_not_ours_is_refused(headers: dict[str, Any]) -> None:
    assert OURS.read(forged(CONTENT, **headers), at=T0) is None


def test_another_key_is_refused_even_under_our_keys_number() -> None:
    assert OURS.read(forged(CONTENT, key=OTHER_KEY), at=T0) is None
    assert OURS.read(Tokens("session", [OTHER_KEY]).sign(CLAIMS, at=T0, until=UNTIL), at=T0) is None


def test_a_token_of_one_purpose_is_worth_nothing_for_another() -> None:
    token = Tokens("reset", [KEY]).sign(CLAIMS, at=T0, until=UNTIL)
    assert OURS.read(token, at=T0) is None


def test_a_key_is_changed_by_keeping_the_one_before_for_a_while() -> None:
    before = Tokens("session", [OLD_KEY]).sign(CLAIMS, at=T0, until=UNTIL)

    assert OURS.read(before, at=T0) == CLAIMS
    assert Tokens("session", [KEY]).read(before, at=T0) is None
    assert Tokens("session", [KEY]).read(OURS.sign(CLAIMS, at=T0, until=UNTIL), at=T0) == CLAIMS


@pytest.mark.parametrize("keys", [[], [b""], [b"k" * 31], [KEY, b"short"]])
def test_a_key_that_is_too_short_is_none(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens("session", keys)


@pytest.mark.parametrize("key", [b'"' + b"k" * 40 + b'"', b'{"keys": []}' + b" " * 30, b"1" * 40])
def test_a_key_is_its_bytes_whatever_they_could_be_read_as(key: bytes) -> None:
    """jose reads a string as JSON first when it verifies, and not when it signs."""
    tokens = Tokens("session", [key])
    assert tokens.read(tokens.sign(CLAIMS, at=T0, until=UNTIL), at=T0) == CLAIMS


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "x" * 5000,
        "a.b." + "c" * 43,
        "\xff.\x00.ü",
        "e30.e30." + "A" * 43,
        "W10.W10." + "A" * 43,
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert OURS.read(token, at=T0) is None


def test_a_token_that_is_padded_or_cut_is_refused() -> None:
    token = OURS.sign(CLAIMS, at=T0, until=UNTIL)
    for changed in (token + "=", token + "A", token[:-1], " " + token, token.replace(".", "..", 1), token + "\n"):
        assert OURS.read(changed, at=T0) is None
