"""What does a message say that tells of several incidents, by each channel?"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels.slack.body import slack_body
from pagerpal_notifier.channels.smtp.words import mail_body, mail_html, mail_subject
from pagerpal_notifier.channels.webhook.body import webhook_body
from pagerpal_notifier.domain.page import Claim, Digest, Page
from pagerpal_notifier.domain.sms import sms_text
from pagerpal_notifier.domain.text import spoken_text
from pagerpal_notifier.domain.words import digest_of, minutes_late

from services.notifier.tests.unit.test_sms import segments

URL = "https://pagerpal.example.com"
T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
PAGES = (
    Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 1),
    Page(43, Severity.WARNING, "CPU <hot> see http://evil.example @channel", "", (), 1),
)
DIGEST = Digest(PAGES, 31, Severity.CRITICAL)


def test_an_sms_names_how_bad_how_many_the_first_and_where_the_others_are() -> None:
    assert sms_text(DIGEST, URL) == (
        "CRITICAL: 31 incidents\n"
        "#42 Disk full on db1\n"
        "#43 CPU <hot> see [link removed] @channel\n"
        "and 29 more\n"
        "https://pagerpal.example.com/incidents"
    )
    assert sms_text(replace(DIGEST, delayed=12), None).split("\n")[::4] == [
        "CRITICAL: 31 incidents, delayed 12 min",
        "Reply ack and a number",
    ]


anything = st.text(max_size=100) | st.text("€{}[]~", max_size=100) | st.text("аж😀e\u0301", max_size=100)


WIDE = "\N{MATHEMATICAL BOLD SCRIPT CAPITAL A}" * 40
"""Two units a character."""


@example(
    titles=[WIDE, ""],
    incident_id=2**62,
    more=2_000,
    delayed=10_000,
    public_url=None,
)
@given(
    titles=st.lists(anything, min_size=2, max_size=50),
    incident_id=st.integers(1, 2**62),
    more=st.integers(0, 2_000),
    delayed=st.integers(0, 10_000),
    public_url=st.sampled_from([None, URL, "https://" + "a" * 190]),
)
def test_an_sms_of_many_is_two_segments_at_most_and_counts_what_it_does_not_name(
    titles: list[str], incident_id: int, more: int, delayed: int, public_url: str | None
) -> None:
    pages = tuple(Page(incident_id + place, Severity.INFO, title, "", ()) for place, title in enumerate(titles))
    incidents = len(pages) + more

    text = sms_text(Digest(pages, incidents, Severity.WARNING, delayed), public_url)

    assert segments(text) <= 2
    assert text.startswith(f"WARNING: {incidents} incidents")
    named = sum(f"\n#{page.incident_id} " in text for page in pages)
    assert named >= 1
    assert named == incidents or f"\nand {incidents - named} more" in text


def test_a_call_says_how_many_and_how_bad_and_asks_for_no_key() -> None:
    said = spoken_text(replace(DIGEST, delayed=12))

    assert said.startswith("This is PagerPal. 31 incidents, the worst critical. Delayed 12 min. Number 42: Disk full")
    assert "And 29 more." in said
    assert "Press" not in said
    long = tuple(Page(2**62 + place, Severity.INFO, "x" * 4000, "", ()) for place in range(50))
    assert len(spoken_text(Digest(long, 2_000, Severity.CRITICAL, 9_999))) < 1_400


def test_a_mail_names_them_in_both_of_its_bodies_and_nothing_in_it_is_markup() -> None:
    body, html = mail_body(DIGEST, URL), mail_html(DIGEST, URL)

    assert mail_subject(DIGEST) == "[CRITICAL] 31 incidents"
    for text in (body, html):
        assert "#42 Disk full on db1" in text
        assert "and 29 more" in text
        assert f"{URL}/incidents" in text
        assert "evil.example" not in text
    assert "<hot>" not in html


def test_a_chat_names_them_and_calls_nobody() -> None:
    message = json.loads(slack_body(DIGEST, URL))

    assert message["text"].startswith("CRITICAL: 31 incidents\n#42 Disk full on db1\n#43 CPU &lt;hot&gt; see")
    assert "@channel" not in str(message)
    assert message["blocks"][-1]["elements"][0]["url"] == f"{URL}/incidents"


def test_pages_to_a_machine_are_never_merged() -> None:
    attempt_id = UUID("01935a7e-0000-7000-8000-000000000001")
    claim = Claim(7, 42, 1, 3, 9, Channel.WEBHOOK, 1, 1, 1, attempt_id, "https://hooks.example.com/x", DIGEST)

    with pytest.raises(TypeError, match="not merged"):
        webhook_body(claim, URL)


def test_several_pages_of_one_incident_are_named_once_by_the_most_urgent() -> None:
    pages = [PAGES[0], PAGES[1], replace(PAGES[0], level=2)]

    digest = digest_of(pages, incidents=2, worst=Severity.CRITICAL, late=0)

    assert [(page.incident_id, page.level) for page in digest.pages] == [(42, 1), (43, 1)]


def test_a_page_is_late_from_five_minutes_on_and_says_so_by_every_channel() -> None:
    assert minutes_late(T0 - timedelta(seconds=299), T0) == 0
    assert minutes_late(T0 - timedelta(seconds=725), T0) == 12
    late = replace(PAGES[0], delayed=12)
    assert sms_text(late, None).startswith("CRITICAL #42 L1, delayed 12 min: Disk full")
    for text in (spoken_text(late), mail_body(late, URL), mail_html(late, URL), slack_body(late, URL).decode()):
        assert "Delayed 12 min." in text


def test_an_sms_of_a_later_pass_is_not_the_same_text_again() -> None:
    assert sms_text(replace(PAGES[0], pass_number=3), None).startswith("CRITICAL #42 L1, pass 3: Disk full")
