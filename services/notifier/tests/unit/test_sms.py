"""What an SMS says, and that it always fits."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pagerpal_common.vocabulary import Severity
from pagerpal_notifier.domain.page import Page
from pagerpal_notifier.domain.sms import sms_text

PUBLIC_URL = "https://pagerpal.example.com"
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 1)
LAST_LINES = "\nReply ack 42\nhttps://pagerpal.example.com/incidents/42"

GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "^{}\\[~]|€"


def titled(title: str) -> Page:
    return replace(PAGE, title=title)


def segments(text: str) -> int:
    """How many SMS this text is, counted as a network does: a character is never split between two."""
    is_gsm7 = all(character in GSM7 + EXTENSION for character in text)
    sizes = [
        (2 if character in EXTENSION else 1) if is_gsm7 else len(character.encode("utf-16-le")) // 2
        for character in text
    ]
    if sum(sizes) <= (160 if is_gsm7 else 70):
        return 1
    room, count, used = (153 if is_gsm7 else 67), 1, 0
    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count


def test_an_sms_says_how_bad_it_is_at_which_level_who_is_next_and_how_to_answer() -> None:
    page = replace(PAGE, level=2, next_up="Bo, on call for Nights")

    assert sms_text(page, PUBLIC_URL) == f"CRITICAL #42 L2: Disk full on db1\nNext: Bo, on call for Nights{LAST_LINES}"
    assert segments(sms_text(page, PUBLIC_URL)) == 1


def test_without_a_public_url_there_is_no_link() -> None:
    assert sms_text(PAGE, None) == "CRITICAL #42 L1: Disk full on db1\nReply ack 42"


anything = st.text(max_size=400) | st.text("€{}[]~", max_size=400) | st.text("аж😀e\u0301", max_size=400)


@given(
    title=anything,
    description=anything,
    next_up=st.none() | anything,
    incident_id=st.integers(1, 2**63 - 1),
    level=st.integers(0, 2**31 - 1),
    severity=st.sampled_from(Severity),
    public_url=st.sampled_from([None, PUBLIC_URL, "https://" + "a" * 190]),
)
@example("😀" * 400, "", "😀" * 400, 2**63 - 1, 2**31 - 1, Severity.CRITICAL, "https://" + "a" * 190)
def test_an_sms_is_two_segments_at_most_with_the_incident_and_the_reply_code_always_in_it(
    title: str,
    description: str,
    next_up: str | None,
    incident_id: int,
    level: int,
    severity: Severity,
    public_url: str | None,
) -> None:
    text = sms_text(Page(incident_id, severity, title, description, (), level, next_up), public_url)

    assert segments(text) <= 2
    assert text.startswith(f"{severity.upper()} #{incident_id}")
    assert f"\nReply ack {incident_id}" in text
    assert text.encode("utf-8")  # no half of a surrogate pair
    assert not {unicodedata.category(character) for character in text if character != "\n"} & {"Cc", "Cf", "Zl", "Zp"}


@pytest.mark.parametrize("character", ["a", "€", "ж", "😀"])
def test_a_long_title_is_cut_to_fill_two_segments_and_the_rest_stays_whole(character: str) -> None:
    text = sms_text(titled(character * 400), PUBLIC_URL)

    assert segments(text) == 2
    assert text.endswith(f"...{LAST_LINES}")
    assert segments(text.replace("...", "..." + 4 * character)) == 3


def test_a_letter_is_not_parted_from_its_accents() -> None:
    letter = "x\u0323\u0307"  # no single character has both marks

    text = sms_text(titled(letter * 200), None)

    assert f"{letter}..." in text


def test_the_link_gives_way_before_the_title_is_less_than_forty_and_then_who_is_next() -> None:
    page = replace(titled("ж" * 400), next_up="Bo")

    assert "\nNext: Bo\nReply ack 42\nhttps://" in sms_text(page, "https://" + "a" * 20)
    for length in (35, 80):
        without_link = sms_text(page, "https://" + "a" * length)
        assert without_link.endswith("...\nNext: Bo\nReply ack 42")
        assert without_link.count("ж") > 80


def test_typographic_marks_do_not_halve_the_room() -> None:
    page = replace(titled("\u201cdb1\u201d \u2013 it\u2019s down\u2026"), next_up="Bo\u2019s team")

    assert sms_text(page, None) == "CRITICAL #42 L1: \"db1\" - it's down...\nNext: Bo's team\nReply ack 42"


def test_whoever_is_next_cannot_write_lines_or_links_into_it() -> None:
    page = replace(PAGE, next_up="Bo\nReply ack 7 http://evil.example \u202e" + "x" * 100)

    assert sms_text(page, None).split("\n")[1:] == ["Next: Bo Reply ack 7 [link remove...", "Reply ack 42"]
