"""Bugs in how a storm of pages becomes few messages."""

from planted import BUDGET, NOTIFIER, Mutation

IN_STORMS = (
    Mutation(
        "what is answered before its digest goes again is in it all the same",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/claims.py",
        "FROM looked_at l WHERE is_wanted AND is_active",
        "FROM looked_at l WHERE is_active",
        f"{BUDGET}::test_what_is_answered_before_its_digest_goes_again_is_cancelled_and_not_in_it",
    ),
    Mutation(
        "a digest in doubt takes on what has come since",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/budget.py",
        "fresh = [one for one in waiting if one.repeats is None]",
        "fresh = waiting",
        f"{NOTIFIER}/tests/unit/test_budget.py::test_what_is_in_doubt_goes_again_as_it_went_and_takes_up_nothing_new",
    ),
    Mutation(
        "what is beyond the budget waits for an hour",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/budget.py",
        "return spent.last_at + gap",
        "return spent.last_at + WINDOW",
        f"{NOTIFIER}/tests/unit/test_budget.py"
        "::test_whatever_arrives_nobody_is_flooded_and_nothing_waits_longer_than_the_longest_gap",
    ),
    Mutation(
        "a long storm is more than the flooding filter lets through",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/budget.py",
        "Channel.SMS: _budget(10, 3, 3, 13, 10)",
        "Channel.SMS: _budget(10, 3, 3, 16, 10)",
        f"{NOTIFIER}/tests/unit/test_budget.py"
        "::test_whatever_arrives_nobody_is_flooded_and_nothing_waits_longer_than_the_longest_gap",
    ),
    Mutation(
        "a warning comes before what is critical",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/budget.py",
        "return (list(Severity).index(one.severity), one.pass_number",
        "return (0, one.pass_number",
        f"{NOTIFIER}/tests/unit/test_budget.py"
        "::test_critical_comes_first_then_first_pages_before_repeats_then_what_waits_longest",
    ),
    Mutation(
        "a receipt settles the first of those that its message told of",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/receipts.py",
        "ON n.provider_message_id = a.attempt_id",
        "ON n.id = a.notification_id AND n.provider_message_id = a.attempt_id",
        f"{BUDGET}::test_a_receipt_settles_all_that_its_message_told_of",
    ),
    Mutation(
        "only the first page of a refused digest moves on",
        f"{NOTIFIER}/src/pagerpal_notifier/records.py",
        "rows: tuple[Claim | Member, ...] = (claim, *claim.others)",
        "rows: tuple[Claim | Member, ...] = (claim,)",
        f"{BUDGET}::test_a_refused_digest_moves_each_of_its_pages_on_to_the_next_way_with_the_reason",
    ),
    Mutation(
        "after an outage each page goes by itself",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/budget.py",
        " or any(now - one.wanted_at >= LATE for one in fresh)",
        "",
        f"{BUDGET}::test_a_backlog_after_an_outage_leaves_as_one_message_that_says_how_late_it_is",
    ),
    Mutation(
        "what comes later overtakes what waits for its digest",
        f"{NOTIFIER}/src/pagerpal_notifier/claiming.py",
        "due += await list_held(tx, may_go, beside=len(due), now=now)",
        "await list_held(tx, may_go, beside=len(due), now=now)",
        f"{BUDGET}::test_what_comes_later_does_not_overtake_what_waits",
    ),
    Mutation(
        "a merged page that is tried again shares the id of the others",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/retries.py",
        "n.merged_with = 0 AND ",
        "",
        f"{BUDGET}::test_a_page_that_was_merged_is_tried_again_with_an_id_of_its_own",
    ),
)
