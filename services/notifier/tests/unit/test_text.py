"""What pages say, and what they never do."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.vocabulary import Severity
from pagerpal_notifier.domain.page import Page
from pagerpal_notifier.domain.text import mail_body, mail_subject, sms_text, spoken_text

PUBLIC_URL = "https://pagerpal.example.com"
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1", "assigned by name"))

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


def test_an_sms_says_how_bad_it_is_what_it_is_and_where_to_answer() -> None:
    assert sms_text(PAGE, PUBLIC_URL) == "CRITICAL #42: Disk full on db1\nhttps://pagerpal.example.com/incidents/42"


def test_without_a_public_url_there_is_no_link() -> None:
    assert sms_text(PAGE, None) == "CRITICAL #42: Disk full on db1"


@given(st.text(max_size=400), st.sampled_from([None, PUBLIC_URL, "https://" + "a" * 150 + ".example.com"]))
def test_an_sms_is_never_more_than_two_segments(title: str, public_url: str | None) -> None:
    text = sms_text(titled(title), public_url)

    assert segments(text) <= 2
    assert text.startswith("CRITICAL #42: ")


@pytest.mark.parametrize("character", ["a", "€", "ж", "😀"])
def test_a_long_title_is_cut_to_fill_two_segments_and_the_link_stays_whole(character: str) -> None:
    text = sms_text(titled(character * 400), PUBLIC_URL)

    assert segments(text) == 2
    assert text.endswith("...\nhttps://pagerpal.example.com/incidents/42")
    assert segments(text.replace("...", "..." + 4 * character)) == 3


def test_a_link_too_long_for_an_sms_is_left_out_before_the_title_is() -> None:
    text = sms_text(titled("ж" * 400), "https://" + "a" * 80 + ".example.com")

    assert "http" not in text
    assert text.count("ж") > 90


def test_typographic_marks_do_not_halve_the_room() -> None:
    assert (
        sms_text(titled("\u201cdb1\u201d \u2013 it\u2019s down\u2026"), None) == 'CRITICAL #42: "db1" - it\'s down...'
    )


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x",
        "HTTP://EVIL.EXAMPLE",
        "ht\u200btps://evil.example",
        "www.evil.example",
        "tel:+4366412345",
        "sms:123",
        "javascript:alert(1)",
        "ftp://evil.example",
        "x" * 50 + "http://evil.example",
    ],
)
def test_no_link_of_the_alert_goes_out_by_any_channel(link: str) -> None:
    page = Page(42, Severity.CRITICAL, f"click {link} now", f"see {link}", (f"policy {link}",))

    said = [sms_text(page, None), mail_subject(page), mail_body(page, None), spoken_text(page)]

    for text in said:
        assert "evil" not in text.lower()
        assert "://" not in text
        assert "tel:" not in text


@given(st.text(max_size=300), st.text(max_size=300))
def test_nothing_invisible_and_no_line_break_of_the_alert_goes_out(title: str, description: str) -> None:
    page = replace(PAGE, title=title, description=description, reason=(title,))

    for line in (sms_text(page, None), mail_subject(page), spoken_text(page), *mail_body(page, None).split("\n")):
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize("title", ["", " \n\t", "\u200b\u202e", "\x00"])
def test_a_title_of_nothing_is_named_so(title: str) -> None:
    assert sms_text(titled(title), None) == "CRITICAL #42: (no title)"


def test_a_mail_says_what_is_wrong_where_to_answer_and_why_you() -> None:
    assert mail_subject(PAGE) == "[CRITICAL] Disk full on db1 (#42)"
    assert mail_body(PAGE, PUBLIC_URL) == (
        "Critical incident #42: Disk full on db1\n\n"
        "98 % used\n\n"
        "Acknowledge it: https://pagerpal.example.com/incidents/42\n\n"
        "You are paged because of:\n- policy 'Base', level 1\n- assigned by name\n"
    )


def test_a_long_description_is_cut() -> None:
    assert len(mail_body(replace(PAGE, description="x" * 20_000), PUBLIC_URL)) < 4500


def test_a_call_says_it_twice() -> None:
    assert spoken_text(PAGE) == (
        "This is PagerPal. Critical incident number 42: Disk full on db1. I repeat. "
        "Critical incident number 42: Disk full on db1. Please acknowledge it in PagerPal."
    )


@given(st.text(max_size=500), st.sampled_from(Severity))
def test_a_call_carries_no_markup_and_fits_the_voice_api(title: str, severity: Severity) -> None:
    text = spoken_text(replace(titled(title), severity=severity))

    assert not set(text) & set("<>&")
    assert len(text) < 1400


def test_a_row_of_commas_is_no_minute_of_silence() -> None:
    assert ",," not in spoken_text(titled("disk" + "," * 200 + ", , , full"))


def test_a_word_of_any_length_takes_no_time() -> None:
    assert mail_body(replace(PAGE, description="a" * 500_000), None)
