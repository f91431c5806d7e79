"""What simulate says would happen is what the escalator does: the same people at the same times for the same reasons.

The escalator's own decisions are driven by a clock that steps from one due time to the next, while incidents enters
every level at once and nobody answers. Who is on call, and who is active, changes while the escalation runs.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import event, given, settings
from hypothesis import strategies as st
from pagerpal_common.contracts.escalations import PageTarget, Position
from pagerpal_common.escalation import START, Assignee, Facts, Level, Person, Policy, fallback_policy
from pagerpal_common.oncall import Roster, Shift, who_is_on_call
from pagerpal_common.rotation import Rotation, Window
from pagerpal_common.vocabulary import IncidentStatus, RotationKind
from pagerpal_escalator.domain.run import Incident, ask, decide, new_run
from pagerpal_web.api.simulate import MOST_STEPS, walk

NIGHT = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
"""Ten minutes before Berlin's clocks are set forward."""

USERS = st.sampled_from((1, 2, 3, 4))
SCHEDULES = (5, 6)
Paged = tuple[datetime, Position, tuple[PageTarget, ...], tuple[str, ...], bool]


@dataclass(frozen=True)
class World:
    """A directory in which shifts and turns begin and end, and people leave."""

    rosters: Mapping[int, Roster]
    leaves_at: Mapping[int, datetime]
    responders: tuple[int, ...]
    admins: tuple[int, ...]

    def facts(self, at: datetime) -> Facts:
        active = {user for user, leaving in self.leaves_at.items() if at < leaving}
        return Facts(
            people={user: Person(user, f"user {user}") for user in active},
            on_call={number: who_is_on_call(roster, at, active) for number, roster in self.rosters.items()},
            schedule_names={number: roster.name for number, roster in self.rosters.items()},
            responders=tuple(user for user in self.responders if user in active),
            admins=tuple(user for user in self.admins if user in active),
        )


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    starts_at = NIGHT + minutes(draw(st.integers(-120, 180)))
    ends_at = starts_at + minutes(draw(st.integers(5, 120)))
    return Shift(draw(st.integers(1, 99)), 5, draw(USERS), starts_at, ends_at, draw(st.booleans()), NIGHT)


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    night_or_day = Window(frozenset({5, 6}), time(draw(st.integers(0, 23))), time(draw(st.integers(0, 23))))
    return Rotation(
        rotation_id=draw(st.integers(1, 99)),
        schedule_id=5,
        user_ids=tuple(draw(st.lists(USERS, min_size=1, max_size=3))),
        kind=draw(st.sampled_from((RotationKind.HOURLY, RotationKind.DAILY))),
        length=draw(st.integers(1, 2)),
        handoff_at=datetime.fromisoformat("2026-03-20T02:00") + minutes(draw(st.sampled_from((0, 15, 30)))),
        zone=ZoneInfo("Europe/Berlin"),
        windows=(night_or_day,) * draw(st.integers(0, 1)),
        priority=draw(st.integers(0, 1)),
    )


def rosters(number: int) -> st.SearchStrategy[Roster]:
    return st.builds(
        Roster,
        st.just(number),
        st.just(f"schedule {number}"),
        st.lists(shifts(), max_size=3, unique_by=lambda one: one.entry_id).map(tuple),
        st.lists(rotations(), max_size=2, unique_by=lambda one: one.rotation_id).map(tuple),
    )


assignees = st.builds(Assignee, user_id=USERS) | st.builds(Assignee, schedule_id=st.sampled_from(SCHEDULES))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    numbers = sorted(draw(st.sets(st.integers(1, 9), min_size=2, max_size=4)))
    levels = tuple(
        Level(
            number,
            minutes(draw(st.integers(1, 90))),
            tuple(draw(st.lists(assignees, min_size=draw(st.sampled_from((0, 1, 1, 1))), max_size=3))),
        )
        for number in numbers
    )
    return Policy(3, "nights", draw(st.integers(0, 3)), minutes(draw(st.integers(1, 60))), None, levels)


worlds = st.builds(
    World,
    st.fixed_dictionaries({number: rosters(number) for number in SCHEDULES}),
    st.fixed_dictionaries(
        {
            user: st.sampled_from((-60, 20, 90, 9999, 9999, 9999)).map(lambda late: NIGHT + minutes(late))
            for user in (1, 2, 3, 4, 20, 21)
        }
    ),
    st.sampled_from(((), (20,), (1, 20))),
    st.sampled_from(((), (21,))),
)


def simulated(policy: Policy, world: World, at: datetime) -> list[Paged]:
    async def facts_at(_: Policy, instant: datetime) -> Facts:
        return world.facts(instant)

    return [
        (one.at, one.step.entering, one.step.people, one.step.notes, one.step.is_unreached)
        for one in asyncio.run(walk(policy, at, facts_at))
    ]


def lived(policy: Policy, world: World, at: datetime) -> list[Paged]:
    """What the escalator asks for, up to the first reminder."""
    incident = Incident(7, 70, 4, None, IncidentStatus.TRIGGERED, START, at, None)
    run, now = new_run(incident, policy, at), at
    paged: list[Paged] = []
    while not paged or not paged[-1][1].reminder:
        verdict = decide(run, incident, now)
        run = verdict.run
        if not verdict.asks:
            assert run.due_at is not None
            now = run.due_at
            continue
        run, asked = ask(run, incident, world.facts(now), now)
        paged.append((now, asked.entering, asked.people, asked.notes, asked.is_unreached))
        incident = replace(incident, position=asked.entering, level_entered_at=now)
    return paged


@settings(max_examples=200, deadline=None)
@given(st.one_of(policies(), policies(), policies(), st.none()), worlds, st.integers(-30, 30))
def test_simulate_says_what_the_escalator_does(given_policy: Policy | None, world: World, late: int) -> None:
    at = NIGHT + minutes(late)
    policy = given_policy or fallback_policy(world.facts(at))

    live = lived(policy, world, at)

    event(f"{len(live)} steps")
    assert simulated(policy, world, at) == live


def test_what_a_long_policy_does_is_shown_in_part_and_says_so() -> None:
    levels = tuple(Level(number, minutes(1), (Assignee(user_id=1),)) for number in range(1, MOST_STEPS + 2))
    policy = Policy(3, "nights", 0, minutes(30), None, levels)
    world = World({}, {1: NIGHT + timedelta(days=1)}, (), ())

    async def facts_at(_: Policy, instant: datetime) -> Facts:
        return world.facts(instant)

    steps = asyncio.run(walk(policy, NIGHT, facts_at))

    assert [one.step.entering.level for one in steps] == list(range(1, MOST_STEPS + 1))
    assert [one.holes for one in steps[:-1]] == [()] * (MOST_STEPS - 1)
    assert "only the first 100 steps" in steps[-1].holes[0]
