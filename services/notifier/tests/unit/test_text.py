"""What pages say, and what they never do."""

import json
import re
import unicodedata
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels.long_tail.words import message
from pagerpal_notifier.channels.slack.body import slack_body
from pagerpal_notifier.channels.smtp.words import mail_body, mail_html, mail_subject
from pagerpal_notifier.channels.web_push.words import notification
from pagerpal_notifier.channels.webhook.body import webhook_body
from pagerpal_notifier.domain.page import Claim, Digest, Page
from pagerpal_notifier.domain.sms import sms_text
from pagerpal_notifier.domain.text import spoken_text

PUBLIC_URL = "https://pagerpal.example.com"
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1", "assigned by name"))


def titled(title: str) -> Page:
    return replace(PAGE, title=title)


def claim_of(page: Page) -> Claim:
    attempt_id = UUID("01935a7e-0000-7000-8000-000000000001")
    return Claim(
        7, page.incident_id, 1, 3, 9, Channel.WEBHOOK, 1, 1, 1, attempt_id, "https://hooks.example.com/x", page
    )


def texts_in(document: Any) -> list[str]:
    """Every string in a JSON document."""
    if isinstance(document, dict):
        return [text for value in document.values() for text in texts_in(value)]
    if isinstance(document, list):
        return [text for value in document for text in texts_in(value)]
    return [document] if isinstance(document, str) else []


def said_among_others(page: Page, public_url: str | None) -> list[str]:
    """Where one message tells of several incidents."""
    digest = Digest((page, replace(page, incident_id=43)), 3, page.severity)
    return [
        sms_text(digest, public_url),
        spoken_text(digest),
        mail_subject(digest),
        mail_body(digest, public_url),
        mail_html(digest, public_url),
        *texts_in(json.loads(slack_body(digest, public_url))),
        message(digest, public_url),
        *texts_in(json.loads(notification(digest))),
    ]


def everything_said(page: Page, public_url: str | None = None) -> list[str]:
    """By any channel, line by line."""
    said = [
        sms_text(page, public_url),
        spoken_text(page),
        mail_subject(page),
        mail_body(page, public_url),
        mail_html(page, public_url),
        *texts_in(json.loads(webhook_body(claim_of(page), public_url))),
        *texts_in(json.loads(slack_body(page, public_url))),
        message(page, public_url),
        *texts_in(json.loads(notification(page))),
        *said_among_others(page, public_url),
    ]
    return [line for text in said for line in text.split("\n")]


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
    page = Page(42, Severity.CRITICAL, f"click {link} now", f"see {link}", (f"policy {link}",), 1, f"Bo {link}")

    for text in everything_said(page):
        assert "evil" not in text.lower()
        assert "://" not in text
        assert "tel:" not in text


@given(st.text(max_size=300), st.text(max_size=300))
def test_nothing_invisible_and_no_line_break_of_the_alert_goes_out(title: str, description: str) -> None:
    page = replace(PAGE, title=title, description=description, reason=(title,), next_up=title)

    for line in everything_said(page, PUBLIC_URL):
        assert not {unicodedata.category(character) for character in line} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize("title", ["", " \n\t", "\u200b\u202e", "\x00"])
def test_a_title_of_nothing_is_named_so(title: str) -> None:
    assert sms_text(titled(title), None) == "CRITICAL #42: (no title)\nReply ack 42"


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


def test_a_mail_says_how_far_it_has_escalated_and_who_is_next() -> None:
    page = replace(PAGE, level=2, next_up="Bo")

    assert "\n\nEscalation level 2. Next: Bo.\n\n" in mail_body(page, None)
    assert "<p>Escalation level 2. Next: Bo.</p>" in mail_html(page, None)


def test_nothing_of_the_alert_is_markup_in_a_mail() -> None:
    evil = '<img src=x onerror="alert(1)"> & \'"</p><script>'
    page = Page(42, Severity.CRITICAL, evil, evil, (evil,), 1, evil)

    html = mail_html(page, PUBLIC_URL)

    assert "<img" not in html
    assert "<script" not in html
    assert html.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#x27;&quot;&lt;/p&gt;") == 4
    assert html.count("://") == 1, "nothing is loaded from anywhere"
    assert '<a href="https://pagerpal.example.com/incidents/42"' in html


def test_a_call_says_it_twice_and_what_the_keys_do() -> None:
    said = "Critical incident number 42: Disk full on db1. Press 1 to acknowledge, 2 to escalate."

    assert spoken_text(PAGE) == f"This is PagerPal. {said} I repeat. {said}"


def test_a_webhook_says_it_in_version_1() -> None:
    page = replace(PAGE, level=2, next_up="Bo")

    assert json.loads(webhook_body(claim_of(page), PUBLIC_URL)) == {
        "version": 1,
        "type": "page",
        "delivery_id": "01935a7e-0000-7000-8000-000000000001",
        "notification_id": 7,
        "incident": {
            "id": 42,
            "title": "Disk full on db1",
            "description": "98 % used",
            "severity": "critical",
            "level": 2,
            "url": "https://pagerpal.example.com/incidents/42",
        },
        "reasons": ["policy 'Base', level 1", "assigned by name"],
        "next": "Bo",
    }


def test_a_chat_message_has_blocks_for_slack_and_a_text_for_everybody_else() -> None:
    page = replace(PAGE, level=2, next_up="Bo")
    standing = "Escalation level 2. Next: Bo. Paged because of: policy 'Base', level 1; assigned by name."

    message = json.loads(slack_body(page, PUBLIC_URL))

    assert message["text"].split("\n") == [
        "CRITICAL #42: Disk full on db1",
        "98 % used",
        standing,
        "https://pagerpal.example.com/incidents/42",
    ]
    header, description, where_it_stands, actions = message["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "CRITICAL #42: Disk full on db1", "emoji": False}
    assert [description["text"]["text"], where_it_stands["text"]["text"]] == ["98 % used", standing]
    assert actions["elements"][0]["url"] == "https://pagerpal.example.com/incidents/42"


@pytest.mark.parametrize(
    "call",
    ["<!channel>", "<!here|x>", "@channel", "@Here", "@everyone", "@all", "<@U012AB3CD>", "<#C012>", "&lt;!here>"],
)
def test_an_alert_calls_nobody_in_a_chat(call: str) -> None:
    page = Page(42, Severity.CRITICAL, call, call, (call,), 1, call)

    for text in texts_in(json.loads(slack_body(page, PUBLIC_URL))):
        assert not set(text) & set("<>")
        assert not re.search("@(channel|here|everyone|all)", text, re.IGNORECASE)
        assert "&lt;!here>" not in text


@given(st.text(max_size=8000), st.text("<>&", max_size=8000))
def test_a_chat_message_stays_within_what_slack_takes(title: str, description: str) -> None:
    page = replace(PAGE, title=title, description=description, reason=(title,) * 5)

    *blocks, _ = json.loads(slack_body(page, PUBLIC_URL))["blocks"]

    for block in blocks:
        text = block["text"]["text"].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
        assert 0 < len(text) <= (150 if block["type"] == "header" else 3000)


@given(st.text(max_size=500), st.sampled_from(Severity))
def test_a_call_carries_no_markup_and_fits_the_voice_api(title: str, severity: Severity) -> None:
    text = spoken_text(replace(titled(title), severity=severity))

    assert not set(text) & set("<>&")
    assert len(text) < 1400


def test_a_row_of_commas_is_no_minute_of_silence() -> None:
    assert ",," not in spoken_text(titled("disk" + "," * 200 + ", , , full"))


def test_a_word_of_any_length_takes_no_time() -> None:
    assert mail_body(replace(PAGE, description="a" * 500_000), None)
