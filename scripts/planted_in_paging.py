"""Bugs in who is paged, by which way, and how often."""

from planted import BUDGET, NOTIFIER, SENDING, Mutation

IN_PAGING = (
    Mutation(
        "the claim does not ask whether the page is still wanted",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/due.py",
        "coalesce(i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open, false) AS is_wanted",
        "true AS is_wanted",
        f"{SENDING}::test_nothing_goes_out_after_an_answer",
    ),
    Mutation(
        "an unknown outcome is repeated with a new id",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/claims.py",
        "WHEN l.status = 'sending' AND l.sent_to = l.address THEN l.provider_message_id",
        "WHEN false THEN l.provider_message_id",
        f"{SENDING}::test_an_unknown_outcome_is_repeated_with_the_same_id_and_goes_out_once",
    ),
    Mutation(
        "two senders may decide for the same person",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/due.py",
        "pg_try_advisory_xact_lock({_LOCK}, CAST(user_id % 2147483647 AS int))",
        "user_id IS NOT NULL",
        f"{BUDGET}::test_a_person_who_is_decided_for_elsewhere_is_passed_over_until_that_is_to_be_seen",
    ),
    Mutation(
        "the last receipt wins, and not the strongest",
        f"{NOTIFIER}/src/pagerpal_notifier/receipts.py",
        "number: join([known[number], word])",
        "number: word",
        f"{NOTIFIER}/tests/integration/test_receipts.py::test_a_page_that_was_delivered_stays_so_in_the_books",
    ),
    Mutation(
        "a receipt mails people of what is over",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "JOIN incidents.page_requests r ON r.id = n.page_request_id AND r.is_open\n"
        "JOIN incidents.incidents i ON i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id ="
        " n.escalation_id\nCROSS",
        "CROSS",
        f"{NOTIFIER}/tests/integration/test_receipts.py::test_a_receipt_for_what_is_over_changes_the_log_only",
    ),
    Mutation(
        "a retry of a try in doubt gets a new message id",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/delivery.py",
        "S.SENDING if row.is_in_doubt else S.QUEUED",
        "S.QUEUED",
        f"{NOTIFIER}/tests/integration/test_retries.py::"
        "test_what_is_in_doubt_is_sent_again_with_the_same_message_id_and_goes_out_once",
    ),
    Mutation(
        "a page goes to an address that nobody has proven",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/due.py",
        "WHEN n.contact_method_id IS NOT NULL THEN p.address",
        "WHEN n.contact_method_id IS NOT NULL THEN m.address",
        f"{NOTIFIER}/tests/integration/test_rules.py"
        "::test_a_method_that_is_gone_or_changed_before_it_is_used_gives_way_to_the_next_at_once",
    ),
    Mutation(
        "a phone that no rule names is not even the last resort",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "('sms', u.phone), ('voice', u.phone), ('email', u.email)",
        "('email', u.email)",
        f"{NOTIFIER}/tests/integration/test_rules.py"
        "::test_when_the_only_rule_fails_the_persons_phone_and_mail_are_the_last_resort",
    ),
)
