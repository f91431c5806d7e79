"""Who is paged next: the rules one by one, then their properties on random policies and teams."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.contracts.escalations import Position
from pagerpal_common.escalation import (
    DEFAULT_REMINDER,
    FALLBACK_TIMEOUT,
    POLICY_JSON,
    START,
    Assignee,
    Facts,
    Level,
    Person,
    Policy,
    Step,
    fallback_policy,
    first_responder,
    holes_of,
    next_step,
    wait_at,
)
from pagerpal_common.oncall import OnCall
from pagerpal_common.vocabulary import OnCallReason

ANA, BO, CY, RESPONDER, ADMIN, GONE = 1, 2, 3, 11, 12, 99
PRIMARY, EMPTY = 5, 6
LATER = datetime(2026, 3, 29, 12, tzinfo=UTC)


def level(number: int, *users: int, schedules: tuple[int, ...] = ()) -> Level:
    assignees = [Assignee(user_id=user) for user in users] + [Assignee(schedule_id=each) for each in schedules]
    return Level(number, timedelta(minutes=number), tuple(assignees))


def policy(*levels: Level, repeat_count: int = 0) -> Policy:
    return Policy(3, "nights", repeat_count, timedelta(minutes=30), None, levels)


def facts(
    *users: int, responders: tuple[int, ...] = (RESPONDER,), admins: tuple[int, ...] = (ADMIN,), primary: int = ANA
) -> Facts:
    people = {user: Person(user, f"user {user}") for user in (*users, *responders, *admins)}
    on_call = OnCall(primary, PRIMARY, 41, OnCallReason.OVERRIDE, LATER)
    return Facts(people, {PRIMARY: on_call, EMPTY: None}, {PRIMARY: "primary", EMPTY: "empty"}, responders, admins)


def at(pass_number: int, number: int, reminder: int = 0) -> Position:
    return Position(pass_number=pass_number, level=number, reminder=reminder)


def users(step: Step) -> list[int]:
    return [target.user_id for target in step.people]


def test_the_first_step_pages_the_first_level() -> None:
    step = next_step(policy(level(1, ANA, BO), level(2, CY)), facts(ANA, BO, CY), START)

    assert step.entering == at(1, 1)
    assert users(step) == [ANA, BO]
    assert (step.notes, step.is_unreached, step.wait) == ((), False, timedelta(minutes=1))


def test_levels_come_in_order_of_their_number_also_when_numbers_are_left_out() -> None:
    step = next_step(policy(level(2, ANA), level(7, BO)), facts(ANA, BO), at(1, 2))

    assert (step.entering, users(step)) == (at(1, 7), [BO])


def test_somebody_named_twice_is_paged_once_with_every_reason() -> None:
    step = next_step(policy(level(1, ANA, schedules=(PRIMARY,))), facts(ANA), START)

    assert len(step.people) == 1
    assert step.people[0].reason == (
        "policy 'nights', level 1",
        "assigned by name",
        "on call on schedule 'primary' by override 41",
    )


def test_a_level_with_nobody_reachable_is_passed_at_once_with_a_note() -> None:
    several = policy(level(1, GONE), level(2, schedules=(EMPTY,)), level(3), level(4, BO))

    step = next_step(several, facts(BO), START)

    assert (step.entering, users(step), step.is_unreached) == (at(1, 4), [BO], False)
    assert step.notes == (
        "Level 1 passed over: user 99 is not active",
        "Level 2 passed over: nobody is on call on schedule 'empty'",
        "Level 3 passed over: nobody is assigned",
    )


@pytest.mark.parametrize(
    ("on_call", "reason"),
    [
        (OnCall(ANA, PRIMARY, 41, OnCallReason.OVERRIDE, LATER), "override 41"),
        (OnCall(ANA, PRIMARY, 42, OnCallReason.ENTRY, LATER), "entry 42"),
        (OnCall(ANA, PRIMARY, None, OnCallReason.ROTATION, LATER, 5), "rotation 5"),
    ],
)
def test_the_reason_names_what_put_somebody_on_call(on_call: OnCall, reason: str) -> None:
    known = replace(facts(ANA), on_call={PRIMARY: on_call})

    step = next_step(policy(level(1, schedules=(PRIMARY,))), known, START)

    assert step.people[0].reason == ("policy 'nights', level 1", f"on call on schedule 'primary' by {reason}")


def test_the_holes_of_a_level_are_its_assignees_behind_whom_there_is_nobody() -> None:
    several = level(1, ANA, GONE, GONE, schedules=(PRIMARY, EMPTY))

    assert holes_of(several, facts(ANA)) == ("user 99 is not active", "nobody is on call on schedule 'empty'")
    assert holes_of(level(1, ANA, schedules=(PRIMARY,)), facts(ANA)) == ()


def test_somebody_on_call_who_was_deactivated_is_not_reachable() -> None:
    step = next_step(policy(level(1, schedules=(PRIMARY,)), level(2, BO)), facts(BO, primary=GONE), START)

    assert users(step) == [BO]


def test_after_the_last_level_of_a_pass_the_next_pass_begins() -> None:
    step = next_step(policy(level(1, ANA), level(2, BO), repeat_count=1), facts(ANA, BO), at(1, 2))

    assert (step.entering, users(step), step.wait) == (at(2, 1), [ANA], timedelta(minutes=1))


def test_after_the_last_pass_the_last_level_is_reminded() -> None:
    once = policy(level(1, ANA), level(2, BO))

    first = next_step(once, facts(ANA, BO), at(1, 2))
    second = next_step(once, facts(ANA, BO), first.entering)

    assert (first.entering, second.entering) == (at(1, 2, 1), at(1, 2, 2))
    assert users(first) == users(second) == [BO]
    assert first.people[0].reason[-1] == "reminder 1"
    assert first.wait == second.wait == timedelta(minutes=30)


def test_a_whole_pass_that_reaches_nobody_pages_the_responders_at_its_last_level() -> None:
    step = next_step(policy(level(1, GONE), level(2), repeat_count=2), facts(), START)

    assert (step.entering, users(step), step.is_unreached) == (at(1, 2), [RESPONDER], True)
    assert step.notes[:2] == ("Level 1 passed over: user 99 is not active", "Level 2 passed over: nobody is assigned")
    assert step.notes[2] == "The policy reaches nobody, so the team's responders are paged"
    assert step.people[0].reason == ("policy 'nights' reaches nobody", "a responder of the team")
    assert step.wait == timedelta(minutes=2)


def test_without_responders_every_admin_is_the_fallback() -> None:
    step = next_step(policy(level(1, GONE)), facts(responders=()), START)

    assert (users(step), step.is_unreached) == ([ADMIN], True)


def test_when_there_is_nobody_at_all_it_says_so_and_goes_on() -> None:
    step = next_step(policy(level(1, GONE)), facts(responders=(), admins=()), START)
    again = next_step(policy(level(1, GONE)), facts(responders=()), step.entering)

    assert (step.entering, step.people, step.is_unreached) == (at(1, 1), (), True)
    assert "there is no admin" in step.notes[-1]
    assert users(again) == [ADMIN]


def test_a_pass_of_which_a_part_was_paged_is_not_one_that_reached_nobody() -> None:
    rest_is_empty = policy(level(1, ANA), level(2), level(3), repeat_count=1)

    step = next_step(rest_is_empty, facts(ANA), at(1, 1))

    assert (step.entering, users(step), step.is_unreached) == (at(2, 1), [ANA], False)
    assert len(step.notes) == 2


def test_a_later_pass_that_reaches_nobody_pages_the_fallback_too() -> None:
    step = next_step(policy(level(1, GONE), level(2, GONE), repeat_count=1), facts(), at(1, 1))

    assert (step.entering, users(step), step.is_unreached) == (at(2, 2), [RESPONDER], True)


def test_the_empty_end_of_the_last_pass_leads_to_reminders_of_who_was_paged() -> None:
    step = next_step(policy(level(1, ANA), level(2)), facts(ANA), at(1, 1))

    assert (step.entering, users(step), step.is_unreached) == (at(1, 1, 1), [ANA], False)
    assert step.notes == ("Level 2 passed over: nobody is assigned",)
    assert step.wait == timedelta(minutes=30)


def test_a_level_that_somebody_stands_for_again_is_entered_from_a_reminder() -> None:
    step = next_step(policy(level(1, ANA), level(2, BO)), facts(ANA, BO), at(1, 1, 4))

    assert (step.entering, users(step)) == (at(1, 2), [BO])


def test_a_reminder_whose_level_is_empty_by_now_goes_to_the_nearest_level_before() -> None:
    step = next_step(policy(level(1, ANA), level(2, BO), level(3, GONE)), facts(ANA, BO), at(1, 3))

    assert (step.entering, users(step), step.is_unreached) == (at(1, 3, 1), [BO], False)


def test_a_reminder_that_nobody_of_the_policy_can_get_goes_to_the_fallback() -> None:
    step = next_step(policy(level(1, GONE)), facts(), at(1, 1, 7))

    assert (step.entering, users(step), step.is_unreached) == (at(1, 1, 8), [RESPONDER], True)
    assert step.people[0].reason[-1] == "reminder 8"


@pytest.mark.parametrize("after", [at(1, 2), at(1, 2, 3)])
def test_by_hand_a_new_pass_begins_after_the_last_level_and_from_reminders(after: Position) -> None:
    step = next_step(policy(level(1, ANA), level(2, BO)), facts(ANA, BO), after, by_hand=True)

    assert (step.entering, users(step)) == (at(2, 1), [ANA])


def test_a_pass_begun_by_hand_is_walked_to_its_end() -> None:
    once = policy(level(1, ANA), level(2, BO))

    second = next_step(once, facts(ANA, BO), at(2, 1))
    third = next_step(once, facts(ANA, BO), second.entering)

    assert (second.entering, users(second)) == (at(2, 2), [BO])
    assert third.entering == at(2, 2, 1)


def test_without_a_policy_the_members_have_five_minutes_and_then_every_admin_is_paged() -> None:
    known = facts(responders=(ANA, BO))
    stand_in = fallback_policy(known)

    first = next_step(stand_in, known, START)
    second = next_step(stand_in, known, first.entering)

    assert stand_in.is_fallback
    assert (users(first), first.is_unreached, first.wait) == ([ANA, BO], True, FALLBACK_TIMEOUT)
    assert (users(second), second.is_unreached, second.wait) == ([ADMIN], True, DEFAULT_REMINDER)


def test_a_team_without_members_pages_the_admins_at_once() -> None:
    known = facts(responders=())

    step = next_step(fallback_policy(known), known, START)

    assert (step.entering, users(step)) == (at(1, 2), [ADMIN])
    assert step.people[0].reason == ("the team has no escalation policy", "an administrator")


def test_a_policy_without_levels_still_reaches_the_team() -> None:
    step = next_step(policy(), facts(), START)

    assert (users(step), step.is_unreached) == ([RESPONDER], True)
    assert step.entering == at(1, 0, 1)


@pytest.mark.parametrize(
    ("position", "minutes"),
    [
        (START, 0),
        (at(1, 1), 1),
        (at(1, 2), 2),  # not the last pass yet
        (at(2, 1), 1),
        (at(2, 2), 30),  # the end of the last pass
        (at(2, 1, 1), 30),
        (at(3, 1), 1),  # a pass begun by hand
        (at(3, 2), 30),
        (at(1, 9), 30),  # a level that the policy does not have
    ],
)
def test_the_wait_is_that_of_the_position_entered(position: Position, minutes: int) -> None:
    assert wait_at(policy(level(1, ANA), level(2, BO), repeat_count=1), position) == timedelta(minutes=minutes)


def test_a_new_incident_is_assigned_to_the_first_person_of_the_first_level() -> None:
    assert first_responder(policy(level(1, GONE, BO, ANA)), facts(ANA, BO)) == BO
    assert first_responder(policy(level(1, GONE), level(2, ANA)), facts(ANA)) is None
    assert first_responder(policy(), facts(ANA)) is None


# --- properties -------------------------------------------------------------------------------------------------------

_user_ids = st.sampled_from((1, 2, 3, 4))
_schedule_ids = st.sampled_from((5, 6))
_assignees = st.lists(
    st.builds(Assignee, user_id=_user_ids) | st.builds(Assignee, schedule_id=_schedule_ids), max_size=3
).map(tuple)


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    numbers = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=4)))
    levels = tuple(Level(number, timedelta(minutes=number), draw(_assignees)) for number in numbers)
    return policy(*levels, repeat_count=draw(st.integers(0, 2)))


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    active = draw(st.sets(_user_ids))
    on_call = {
        schedule: draw(st.none() | _user_ids.map(lambda user: OnCall(user, PRIMARY, 1, OnCallReason.ENTRY, LATER)))
        for schedule in (5, 6)
    }
    groups = st.lists(st.integers(20, 23), unique=True, max_size=2).map(tuple)
    responders, admins = draw(groups), draw(groups)
    people = {user: Person(user, str(user)) for user in (*active, *responders, *admins)}
    return Facts(people, on_call, {}, responders, admins)


def _order(position: Position) -> tuple[int, int, int]:
    return position.pass_number, position.level, position.reminder


def _reachable(each: Level, known: Facts) -> set[int]:
    """Independent of the code under test: the active people behind a level."""
    found = set()
    for assignee in each.assignees:
        on_call = known.on_call.get(assignee.schedule_id or 0)
        user = assignee.user_id or (on_call.user_id if on_call else None)
        if user in known.people:
            found.add(user)
    return {user for user in found if user is not None}


def _walk(given_policy: Policy, known: Facts) -> Iterator[Step]:
    position = START
    while True:
        step = next_step(given_policy, known, position)
        yield step
        position = step.entering


_positions = st.just(START) | st.builds(
    Position, pass_number=st.integers(1, 4), level=st.integers(1, 9), reminder=st.integers(0, 3)
)


@given(_policies(), _facts(), _positions, st.booleans())
def test_every_step_goes_forward_and_has_people_while_there_is_anybody(
    given_policy: Policy, known: Facts, after: Position, by_hand: bool
) -> None:
    step = next_step(given_policy, known, after, by_hand=by_hand)

    assert _order(step.entering) > _order(after)
    if known.responders or known.admins:
        assert step.people
    assert set(users(step)) <= set(known.people)
    assert len(set(users(step))) == len(step.people)
    assert all(target.reason for target in step.people)
    assert step.wait == wait_at(given_policy, step.entering) > timedelta(0)
    assert step == next_step(given_policy, known, after, by_hand=by_hand)


@given(_policies(), _facts(), _positions, st.booleans())
def test_no_level_with_reachable_people_is_skipped_and_each_empty_one_has_a_note(
    given_policy: Policy, known: Facts, after: Position, by_hand: bool
) -> None:
    step = next_step(given_policy, known, after, by_hand=by_hand)

    last = max(1 + given_policy.repeat_count, after.pass_number + by_hand)
    between = [
        each
        for number in range(after.pass_number, last + 1)
        for each in given_policy.levels
        if (after.pass_number, after.level) < (number, each.number)
        and (step.entering.reminder or (number, each.number) < (step.entering.pass_number, step.entering.level))
    ]
    assert all(not _reachable(each, known) for each in between)
    for each in between:
        assert any(note.startswith(f"Level {each.number} passed over: ") for note in step.notes)
    if not step.is_unreached and not step.entering.reminder:
        entered = next(each for each in given_policy.levels if each.number == step.entering.level)
        assert set(users(step)) == _reachable(entered, known)


@given(_policies(), _facts())
def test_each_reachable_level_is_entered_once_per_pass_in_order_and_then_come_only_reminders(
    given_policy: Policy, known: Facts
) -> None:
    reachable = [each.number for each in given_policy.levels if _reachable(each, known)]
    passes = 1 + given_policy.repeat_count
    stops = reachable or [given_policy.levels[-1].number]  # a pass that reaches nobody is the fallback's

    steps = list(islice(_walk(given_policy, known), len(stops) * passes + 5))

    entered, reminders = steps[:-5], steps[-5:]
    assert [_order(step.entering) for step in entered] == [(p, n, 0) for p in range(1, passes + 1) for n in stops]
    assert [_order(step.entering) for step in reminders] == [(passes, stops[-1], n) for n in range(1, 6)]
    assert all(step.is_unreached != bool(reachable) for step in steps)
    assert all(users(step) == users(entered[-1]) for step in reminders)


@given(_facts())
def test_without_a_policy_everybody_of_the_fallback_is_paged(known: Facts) -> None:
    steps = list(islice(_walk(fallback_policy(known), known), 3))

    paged = {user for step in steps for user in users(step)}
    assert paged == {*known.responders, *known.admins}
    assert all(step.is_unreached for step in steps)


@given(_policies(), st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=366)))
def test_a_snapshot_reads_back_as_it_was(given_policy: Policy, timeout: timedelta) -> None:
    exact = replace(given_policy, reminder=timeout, ack_timeout=timeout)

    assert POLICY_JSON.validate_json(POLICY_JSON.dump_json(exact)) == exact
