"""How much is one person sent, and what becomes of the rest?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.domain.budget import (
    BUDGETED,
    BUDGETS,
    LATE,
    Due,
    Plan,
    Recipient,
    Spent,
    open_to,
    plan,
    whole_messages,
)

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ANA = Recipient(1, Channel.SMS, "+436641234567")
BO = Recipient(2, Channel.SMS, "+436647654321")
FLOODING = 20
"""Infobip's filter: different SMS to one number in an hour."""


def due(
    number: int,
    *,
    to: Recipient = ANA,
    severity: Severity = Severity.CRITICAL,
    pass_number: int = 1,
    step: int = 1,
    wanted_at: datetime = T0,
    repeats: UUID | None = None,
    is_sendable: bool = True,
) -> Due:
    return Due(number, to, repeats, is_sendable, severity, pass_number, step, wanted_at)


def decide(rows: Sequence[Due], *, spent: dict[Recipient, Spent] | None = None, room: int = 50) -> Plan:
    return plan(rows, spent or {}, room=room, now=T0)


def numbers(decided: Plan) -> list[list[int]]:
    """Of the notifications, message by message."""
    return [[one.notification_id for one in message] for message in decided.messages]


def test_a_few_pages_go_one_by_one() -> None:
    decided = decide([due(number) for number in range(1, 11)])

    assert numbers(decided) == [[number] for number in range(1, 11)]
    assert decided.held == ()


def test_of_a_storm_the_first_go_alone_and_the_rest_at_once_in_one_message() -> None:
    decided = decide([due(number) for number in range(1, 41)])

    assert numbers(decided) == [*([number] for number in range(1, 10)), list(range(10, 41))]
    assert decided.held == ()


def test_what_comes_after_waits_for_its_digest_and_says_until_when() -> None:
    spent = {ANA: Spent(10, T0 - MINUTE)}

    decided = decide([due(1), due(2)], spent=spent)

    (held,) = decided.held
    assert (decided.messages, held.ids, held.until) == ((), (1, 2), T0 + 2 * MINUTE)
    assert held.why == "the page budget is used up: waits for the next digest at 03:02:01 UTC"


def test_warnings_leave_room_for_what_is_critical() -> None:
    warnings = [due(number, severity=Severity.WARNING) for number in range(1, 31)]
    by_warnings = {ANA: Spent(7, T0 - MINUTE)}

    assert numbers(decide(warnings)) == [*([number] for number in range(1, 7)), list(range(7, 31))]
    assert decide(warnings, spent=by_warnings).messages == ()
    assert numbers(decide([due(99)], spent=by_warnings)) == [[99]]
    assert numbers(decide([*warnings, due(99)], spent=by_warnings)) == [[99], list(range(1, 31))]


def test_a_message_in_doubt_is_never_halved_by_the_limit() -> None:
    first, second = UUID(int=1), UUID(int=2)
    rows = [due(1, repeats=first), due(2, repeats=first), due(3, repeats=second)]

    assert whole_messages(rows, 3) == rows[:2]
    assert whole_messages(rows[:2], 2) == rows[:2]
    assert whole_messages(rows, 4) == rows
    assert whole_messages([*rows, due(4)], 4) == [*rows, due(4)]


def test_when_its_time_has_come_one_message_tells_of_all_that_waits() -> None:
    assert numbers(decide([due(1), due(2), due(3)], spent={ANA: Spent(10, T0 - 3 * MINUTE)})) == [[1, 2, 3]]


def test_another_person_and_another_channel_have_a_budget_of_their_own() -> None:
    mail = Recipient(ANA.user_id, Channel.EMAIL, "ana@example.com")

    decided = decide([due(1), due(2, to=BO), due(3, to=mail)], spent={ANA: Spent(10, T0)})

    assert numbers(decided) == [[2], [3]]
    assert [held.ids for held in decided.held] == [(1,)]


def test_critical_comes_first_then_first_pages_before_repeats_then_what_waits_longest() -> None:
    rows = [
        due(1, severity=Severity.WARNING),
        due(2, pass_number=2),
        due(3, step=2),
        due(4, wanted_at=T0 - MINUTE),
        due(5),
    ]

    assert numbers(decide(rows)) == [[4], [5], [3], [2], [1]]
    assert numbers(decide(rows, spent={ANA: Spent(9, T0 - HOUR / 2)})) == [[4, 5, 3, 2, 1]]


def test_of_two_persons_the_one_who_was_paged_least_recently_comes_first() -> None:
    carla = Recipient(3, Channel.SMS, "+436640000003")
    rows = [due(1, wanted_at=T0 - MINUTE), due(2, to=BO), due(3, to=carla)]

    decided = decide(rows, spent={ANA: Spent(1, T0 - MINUTE), BO: Spent(1, T0 - 2 * MINUTE)}, room=2)

    assert numbers(decided) == [[3], [2]]


def test_after_an_outage_the_backlog_of_a_person_is_one_message() -> None:
    assert numbers(decide([due(1, wanted_at=T0 - LATE), due(2)])) == [[1, 2]]
    assert numbers(decide([due(1, wanted_at=T0 - LATE + MINUTE), due(2)])) == [[1], [2]]


def test_what_is_held_goes_with_whatever_goes_next() -> None:
    spent = {ANA: Spent(9, T0 - MINUTE), BO: Spent(10, T0 - MINUTE)}

    assert open_to([due(1), due(2, to=BO)], spent, now=T0) == [ANA]
    assert open_to([due(1)], {}, now=T0) == []


def test_what_is_in_doubt_goes_again_as_it_went_and_takes_up_nothing_new() -> None:
    message = UUID("01935a7e-0000-7000-8000-000000000001")

    decided = decide([due(1, repeats=message), due(2, repeats=message), due(3)], spent={ANA: Spent(10, T0)})

    assert numbers(decided) == [[1, 2]]
    assert [held.ids for held in decided.held] == [(3,)]


def test_what_may_not_be_sent_is_in_no_message_and_does_not_wait() -> None:
    gone = due(2, is_sendable=False)

    decided = decide([due(1), gone, due(3)], spent={ANA: Spent(10, T0 - 3 * MINUTE)})

    assert (numbers(decided), decided.ends) == ([[1, 3]], (gone,))


def test_a_machine_gets_each_page_in_order() -> None:
    hook = Recipient(1, Channel.WEBHOOK, "https://hooks.example.com/x")

    decided = decide([due(1, to=hook, severity=Severity.INFO), due(2, to=hook)], spent={hook: Spent(500, T0)})

    assert numbers(decided) == [[1]]


def test_a_chat_gets_one_message_at_a_time_in_order_and_then_all_at_once() -> None:
    chat = Recipient(1, Channel.SLACK, "https://hooks.example.com/x")
    rows = [due(2, to=chat), due(1, to=chat, severity=Severity.INFO)]

    assert numbers(decide(rows)) == [[1]]
    assert numbers(decide(rows, spent={chat: Spent(29, T0)})) == [[2, 1]]


@pytest.mark.parametrize("channel", sorted(BUDGETED))
@given(arrivals=st.lists(st.tuples(st.integers(0, 1_800), st.sampled_from(Severity)), min_size=1, max_size=120))
@example(arrivals=[(0, Severity.CRITICAL)] * 30 + [(at, Severity.CRITICAL) for at in range(1, 480)])
@settings(max_examples=40, deadline=None)
def test_whatever_arrives_nobody_is_flooded_and_nothing_waits_longer_than_the_longest_gap(
    channel: Channel, arrivals: list[tuple[int, Severity]]
) -> None:
    """Arrivals are minutes and quarters of them; a claim is made at each, and whenever a digest's time has come."""
    budget = BUDGETS[channel]
    assert budget is not None
    longest = budget.gaps[-1].gap
    most = budget.gaps[-1].sent + int(HOUR / longest)
    to = Recipient(1, channel, "somewhere")
    arrivals.sort()
    came = [T0 + timedelta(seconds=15 * at) for at, _ in arrivals]
    waiting = {
        number: due(number, to=to, severity=severity, wanted_at=came[number])
        for number, (_, severity) in enumerate(arrivals)
    }
    due_at = dict(enumerate(came))
    held: set[int] = set()
    sent: list[datetime] = []
    settled: dict[int, datetime] = {}
    while waiting:
        now = min(due_at[number] for number in waiting)
        recent = [at for at in sent if at > now - HOUR]
        spent = {to: Spent(len(recent), recent[-1])} if recent else {}
        ready = [one for number, one in waiting.items() if due_at[number] <= now]
        if open_to(ready, spent, now=now):
            ready += [one for number, one in waiting.items() if number in held and due_at[number] > now]
        decided = plan(ready, spent, room=50, now=now)
        assert decided.messages or decided.held
        until = {number: wait.until for wait in decided.held for number in wait.ids}
        due_at |= until
        held |= set(until)
        sent += [now] * len(decided.messages)
        for number in [one.notification_id for message in decided.messages for one in message]:
            settled[number] = now
            del waiting[number]

    assert set(settled) == set(range(len(arrivals)))
    assert max(settled[number] - at for number, at in enumerate(came)) <= longest
    for end in sent:
        assert sum(end - HOUR < at <= end for at in sent) <= most
        if channel is Channel.SMS:
            assert sum(end - HOUR < at <= end for at in sent) < FLOODING
