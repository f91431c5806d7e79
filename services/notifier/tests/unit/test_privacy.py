"""Addresses stay out of what is stored and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.domain.privacy import mask, scrub


@pytest.mark.parametrize(
    "number",
    ["+436641234567", "436641234567", "0664 123 45 67", "(0664) 123-4567", "0664/1234567", "+43.664.1234567"],
)
def test_a_phone_number_is_taken_out_however_it_is_written(number: str) -> None:
    assert scrub(f"Destination {number} is blocked") in {
        "Destination [number] is blocked",
        "Destination ([number] is blocked",
    }


def test_a_mail_address_is_taken_out() -> None:
    assert scrub("550 <ana.o'k+x@mail.example.com>: no such user") == "550 <[address]>: no such user"


@pytest.mark.parametrize("text", ["REJECTED_DND (10)", "HTTP 400", "code 21, 5.1.1"])
def test_codes_stay(text: str) -> None:
    assert scrub(text) == text


@given(st.text(max_size=3000))
def test_the_rest_is_one_line_and_short(text: str) -> None:
    scrubbed = scrub(text)

    assert len(scrubbed) <= 300
    assert scrubbed.isprintable()


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("+436641234567", "+43…67"),
        ("12345", "…"),
        ("ana@example.com", "a…@example.com"),
        ("@x", "…@x"),
        ("", "…"),
        ("matrixs://syt_token@example.com/!room", "matrixs://…"),
        ("tgram://1:token/2", "tgram://…"),
    ],
)
def test_a_masked_address_is_recognised_and_not_usable(address: str, masked: str) -> None:
    assert mask(address) == masked


def test_a_claim_does_not_show_its_address() -> None:
    assert Claim.__dataclass_fields__["address"].repr is False
