"""What do codes and test pages say, by each channel?"""

from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels.smtp.words import mail_body, mail_subject
from pagerpal_notifier.domain.page import Notice, Words
from pagerpal_notifier.domain.proof import as_claim, code_notice, trial_notice
from pagerpal_notifier.domain.sms import sms_text
from pagerpal_notifier.domain.text import spoken_text

URL = "https://pagerpal.example.com"


def page_of(notice: Notice) -> Words:
    return as_claim(uuid7(), Channel.SMS, "+436641234567", notice, signing_secret=None).page


def test_a_code_comes_first_in_an_sms_and_needs_one_segment() -> None:
    text = sms_text(page_of(code_notice("012345")), URL)

    assert text.startswith("012345 is your PagerPal code, good for 10 minutes.")
    assert len(text) <= 160


def test_a_voice_says_a_code_digit_by_digit_and_twice() -> None:
    assert spoken_text(page_of(code_notice("012345"))).count("0, 1, 2, 3, 4, 5.") == 2


def test_a_mail_has_the_code_in_its_body_and_not_in_its_subject() -> None:
    page = page_of(code_notice("012345"))

    assert mail_subject(page) == "Your PagerPal code"
    assert mail_body(page, URL).startswith("012345 is your PagerPal code")


def test_a_test_page_says_that_it_is_one_before_anything_else() -> None:
    page = page_of(trial_notice())

    assert sms_text(page, URL).startswith("TEST: This is a test page from PagerPal. Nothing is wrong.")
    assert mail_subject(page).startswith("Test page")
    assert mail_body(page, URL).startswith("TEST:")
    assert spoken_text(page).startswith("This is a test page from PagerPal.")
    assert len(sms_text(page, URL)) <= 160


def test_a_code_is_not_in_what_a_log_would_show_of_it() -> None:
    claim = as_claim(uuid7(), Channel.SLACK, "https://hooks.example.com/x", code_notice("012345"), signing_secret="pw")

    assert "012345" not in repr(claim)
    assert "hooks.example.com" not in repr(claim)
