"""A link that acknowledges says what it was made for, and nobody else can make or change one."""

import base64
import hashlib
import hmac
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.ack_links import AckLink, ack_key, ack_link, read, sign

NOW = datetime(2026, 5, 21, 12, tzinfo=UTC)
SECRET = b"a planted secret key of 32 bytes and more"
KEY, OTHER = ack_key(SECRET), ack_key(b"another secret key of 32 bytes and more")
LINK = AckLink(42, 3, 1007, NOW + timedelta(hours=24))
ALPHABET = string.ascii_letters + string.digits + "-_"
IDS = st.integers(0, 2**63 - 1)
MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def test_a_link_is_for_one_person_and_incident_and_holds_for_a_day() -> None:
    url = ack_link("https://pager.example.org", KEY, 42, 3, 1007, NOW)

    start, token = url[:28], url[28:]
    assert start == "https://pager.example.org/a/"
    assert read(token, [KEY]) == LINK
    assert not LINK.is_over(NOW + timedelta(hours=24) - timedelta(seconds=1))
    assert LINK.is_over(NOW + timedelta(hours=24))


def test_it_fits_into_an_sms() -> None:
    assert len(sign(AckLink(1_000_000, 10_000, 2_000_000, NOW), KEY)) <= 40
    assert len(sign(AckLink(2**63 - 1, 2**63 - 1, 2**63 - 1, NOW), KEY)) <= 80


@given(IDS, IDS, IDS, MOMENTS)
def test_what_is_signed_is_what_is_read(incident_id: int, user_id: int, escalation_id: int, at: datetime) -> None:
    link = AckLink(incident_id, user_id, escalation_id, at)

    assert read(sign(link, KEY), [KEY]) == link


@pytest.mark.parametrize("place", range(len(sign(LINK, KEY))))
def test_no_letter_can_be_another(place: int) -> None:
    token = sign(LINK, KEY)

    for letter in ALPHABET:
        forged = token[:place] + letter + token[place + 1 :]
        assert forged == token or read(forged, [KEY]) is None


@given(st.text() | st.text(ALPHABET, min_size=24, max_size=80))
def test_what_was_not_signed_says_nothing(token: str) -> None:
    assert read(token, [KEY]) is None


def test_neither_more_nor_less_of_it_will_do() -> None:
    token = sign(LINK, KEY)

    for other in (token[:-1], token[1:], token + "A", token + "=", token + "\n", " " + token, token * 2):
        assert read(other, [KEY]) is None


def test_a_link_of_another_installation_says_nothing() -> None:
    assert read(sign(LINK, OTHER), [KEY]) is None


def test_after_a_change_of_the_secret_key_links_made_before_it_still_hold() -> None:
    assert read(sign(LINK, OTHER), [KEY, OTHER]) == LINK
    assert read(sign(LINK, OTHER), []) is None


def test_the_key_of_links_is_of_this_purpose_alone() -> None:
    """What is signed with the secret key itself, or with a key of another purpose, is no link."""
    of_sessions = hmac.digest(SECRET, b"pagerpal session", hashlib.sha256)

    for key in (SECRET, of_sessions):
        assert read(sign(LINK, key), [KEY]) is None


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x2a\x03", b"\x2a\x03\x07\x01\x01"])
def test_even_signed_by_us_it_must_be_whole(content: bytes) -> None:
    signed = content + hmac.digest(KEY, content, hashlib.sha256)[:16]

    link = read(base64.urlsafe_b64encode(signed).decode().rstrip("="), [KEY])

    assert link is None


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_number_that_no_row_has_is_not_signed(number: int) -> None:
    with pytest.raises(ValueError, match="63 bits"):
        sign(AckLink(number, 3, 1007, NOW), KEY)
