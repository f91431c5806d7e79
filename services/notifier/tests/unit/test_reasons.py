"""Why somebody is paged, as mails and chats say it: with names, where what is stored has numbers."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pagerpal_common.reasons import Known
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels.slack.body import slack_body
from pagerpal_notifier.channels.smtp.words import mail_body, mail_html
from pagerpal_notifier.channels.webhook.body import webhook_body
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.domain.text import name_in_sentence

RULE = "rule 5 for critical: mail at once"
CHAIN = ("policy 'Base', level 1", "on call on schedule 'Core' by rotation 2", RULE)
SHIFT = (datetime(2026, 5, 21, 20, tzinfo=UTC), datetime(2026, 5, 22, 6, tzinfo=UTC))
PAGE = Page(
    42,
    Severity.CRITICAL,
    "Disk full",
    "",
    CHAIN,
    known=Known({2: "Nights"}, {7: SHIFT}),
    zone=ZoneInfo("Europe/Berlin"),
)


def test_a_mail_names_the_rotation_and_calls_the_rule_yours() -> None:
    for mail in (mail_body(PAGE, None), mail_html(PAGE, None).replace("&#x27;", "'")):
        assert "on call on schedule 'Core' by rotation 'Nights'" in mail
        assert "your own rule for critical: mail at once" in mail
        assert "rotation 2" not in mail
        assert "rule 5" not in mail


def test_a_chat_does_so_too_and_speaks_of_the_person_to_others() -> None:
    text = json.loads(slack_body(PAGE, None))["text"]

    assert "by rotation 'Nights'; their own rule for critical: mail at once." in text


def test_an_override_is_told_by_its_times_where_the_person_is() -> None:
    page = replace(PAGE, reason=("on call on schedule 'Core' by override 7",))

    assert "by an override from Thu 21 May 22:00 CEST to Fri 22 May 08:00 CEST" in mail_body(page, None)


def test_what_is_gone_is_called_a_deleted_one() -> None:
    assert "by a deleted rotation (2)" in mail_body(replace(PAGE, known=Known({}, {})), None)


def test_a_program_gets_the_chain_as_it_is_stored() -> None:
    attempt_id = UUID("01935a7e-0000-7000-8000-000000000001")
    claim = Claim(7, 42, 1, 3, 9, Channel.WEBHOOK, 1, 1, 1, attempt_id, "https://hooks.example.com/x", PAGE)

    assert json.loads(webhook_body(claim, None))["reasons"] == list(CHAIN)


def test_a_name_in_a_sentence_is_short_and_hides_nothing() -> None:
    assert len(name_in_sentence("x" * 300)) == 80
    assert name_in_sentence("\u202e\u200b") == "(no name)"
