"""What other services read of the directory, on real rows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pagerpal_common.db import Database
from pagerpal_common.directory import find_contacts, find_policy, load_facts, load_outlook
from pagerpal_common.errors import NotFound
from pagerpal_common.escalation import START, Assignee, Facts, Level, Policy, next_step
from pagerpal_common.oncall import OnCall, who_is_on_call
from pagerpal_common.rosters import load_roster, load_rosters
from pagerpal_common.rotation import Rotation, Window
from pagerpal_common.vocabulary import OnCallReason, RotationKind
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
ANA, BO, CY, ROOT, WATCHER, GONE, STRANGER = range(1, 8)
CORE, OTHER = 1, 2
PRIMARY, EMPTY = 1, 2
OWN, DEFAULT, FOREIGN, BARE = range(1, 5)

EVERYBODY = range(1, 8)

AddShift = Callable[..., Awaitable[None]]
AddRotation = Callable[..., Awaitable[None]]

ROWS = """
INSERT INTO directory.users (name, email, role, phone, timezone, is_active, created_at) VALUES
    ('ana', 'ana@example.com', 'responder', '+4915100000001', 'UTC', true, now()),
    ('bo', 'bo@example.com', 'responder', NULL, 'UTC', true, now()),
    ('cy', 'cy@example.com', 'responder', NULL, 'UTC', true, now()),
    ('root', 'root@example.com', 'admin', NULL, 'UTC', true, now()),
    ('watcher', 'watcher@example.com', 'viewer', NULL, 'UTC', true, now()),
    ('gone', 'gone@example.com', 'admin', NULL, 'UTC', false, now()),
    ('stranger', 'stranger@example.com', 'responder', NULL, 'UTC', true, now());
INSERT INTO directory.teams (name, created_at) VALUES ('core', now()), ('other', now());
INSERT INTO directory.team_members (team_id, user_id) VALUES (1, 1), (1, 2), (1, 5), (1, 6), (2, 7);
INSERT INTO directory.schedules (team_id, name, timezone, created_at) VALUES
    (1, 'primary', 'UTC', now()), (1, 'empty', 'UTC', now());
INSERT INTO directory.escalation_policies
    (team_id, name, repeat_count, is_default, ack_timeout_minutes, reminder_minutes, created_at) VALUES
    (1, 'own', 2, false, 7.5, 45, now()), (1, 'default', 0, true, NULL, 30, now()),
    (2, 'foreign', 0, true, NULL, 30, now()), (1, 'bare', 0, false, NULL, 30, now());
INSERT INTO directory.escalation_levels (policy_id, level_number, timeout_minutes) VALUES
    (1, 5, 10), (1, 2, 0.25), (2, 1, 5), (3, 1, 5);
INSERT INTO directory.escalation_assignees (level_id, assignee_type, user_id, schedule_id) VALUES
    (2, 'user', 3, NULL), (2, 'schedule', NULL, 1), (2, 'user', 6, NULL), (3, 'schedule', NULL, 2),
    (4, 'user', 7, NULL);
"""


@pytest.fixture
async def tx(database: Callable[[str | None], Database]) -> AsyncIterator[AsyncConnection]:
    """A transaction as the escalator, with the rows above committed before."""
    async with database(None).begin() as owner:
        for statement in ROWS.split(";")[:-1]:
            await owner.execute(text(statement))
    async with database("escalator").begin() as connection:
        yield connection


@pytest.fixture
def add_shift(database: Callable[[str | None], Database]) -> AddShift:
    """Adds a shift on `primary`, in hours from noon; `made` says when it was written down."""

    async def add(user_id: int, starts: float, ends: float, *, override: bool = False, made: float = -100) -> None:
        async with database(None).begin() as owner:
            await owner.execute(
                text("""
                INSERT INTO directory.schedule_entries
                    (schedule_id, user_id, starts_at, ends_at, is_override, created_at)
                VALUES (1, :user_id, :starts, :ends, :override, :made)
                """),
                {"user_id": user_id, "override": override}
                | {name: hours(number) for name, number in (("starts", starts), ("ends", ends), ("made", made))},
            )

    return add


@pytest.fixture
def add_rotation(database: Callable[[str | None], Database]) -> AddRotation:
    """Adds a daily rotation on `primary`, which it moves to a time zone."""

    async def add(*people: int, zone: str = "Europe/Berlin", restrictions: str = "[]", priority: int = 0) -> None:
        async with database(None).begin() as owner:
            await owner.execute(text("UPDATE directory.schedules SET timezone = :zone WHERE id = 1"), {"zone": zone})
            await owner.execute(
                text("""
                WITH made AS (
                    INSERT INTO directory.schedule_rotations
                        (schedule_id, name, kind, length, handoff_at, restrictions, priority)
                    VALUES (1, 'daily', 'daily', 1, '2026-03-01 14:00', CAST(:restrictions AS jsonb), :priority)
                    RETURNING id
                )
                INSERT INTO directory.rotation_people (rotation_id, position, user_id)
                SELECT id, place, person
                FROM made, unnest(CAST(:people AS bigint[])) WITH ORDINALITY AS p(person, place)
                """),
                {"restrictions": restrictions, "priority": priority, "people": list(people)},
            )

    return add


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


@contextmanager
def counting(tx: AsyncConnection) -> Iterator[list[str]]:
    """Collects the statements that are sent."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    event.listen(tx.sync_connection, "before_cursor_execute", note)
    yield sent
    event.remove(tx.sync_connection, "before_cursor_execute", note)


async def test_a_policy_by_its_id_has_its_levels_in_order(tx: AsyncConnection) -> None:
    found = await find_policy(tx, team_id=CORE, policy_id=OWN)

    assert found == Policy(
        policy_id=OWN,
        name="own",
        repeat_count=2,
        reminder=timedelta(minutes=45),
        ack_timeout=timedelta(minutes=7.5),
        levels=(
            Level(
                2,
                timedelta(seconds=15),
                (Assignee(user_id=CY), Assignee(schedule_id=PRIMARY), Assignee(user_id=GONE)),
            ),
            Level(5, timedelta(minutes=10), ()),
        ),
    )


@pytest.mark.parametrize("policy_id", [None, BARE, 4711])
async def test_without_a_usable_policy_of_its_own_the_default_of_the_team_holds(
    tx: AsyncConnection, policy_id: int | None
) -> None:
    found = await find_policy(tx, team_id=CORE, policy_id=policy_id)

    assert found is not None
    assert (found.policy_id, found.ack_timeout) == (DEFAULT, None)


async def test_a_team_without_a_policy_that_has_levels_has_none(tx: AsyncConnection) -> None:
    assert await find_policy(tx, team_id=4711, policy_id=None) is None
    assert await find_policy(tx, team_id=4711, policy_id=BARE) is None


async def test_times_beyond_measure_are_cut_to_what_can_be_counted(
    tx: AsyncConnection, database: Callable[[str | None], Database]
) -> None:
    async with database(None).begin() as owner:
        await owner.execute(text("UPDATE directory.escalation_policies SET reminder_minutes = 'NaN'"))
        await owner.execute(text("UPDATE directory.escalation_levels SET timeout_minutes = 1e30"))

    found = await find_policy(tx, team_id=CORE, policy_id=None)

    assert found is not None
    assert found.reminder == found.levels[0].timeout == timedelta(days=366)


async def test_the_facts_name_active_people_of_the_policy_the_team_and_the_admins(tx: AsyncConnection) -> None:
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)

    facts = await load_facts(tx, policy, team_id=CORE, at=NOON)

    assert set(facts.people) == {ANA, BO, CY, ROOT, WATCHER}
    assert facts.people[CY].name == "cy"
    assert facts.responders == (ANA, BO)
    assert facts.admins == (ROOT,)
    assert facts.on_call == {PRIMARY: None}
    assert facts.schedule_names == {PRIMARY: "primary"}


async def test_an_admin_of_the_team_is_one_of_its_responders(
    tx: AsyncConnection, database: Callable[[str | None], Database]
) -> None:
    async with database(None).begin() as owner:
        await owner.execute(text("INSERT INTO directory.team_members (team_id, user_id) VALUES (1, 4)"))

    facts = await load_facts(tx, None, team_id=CORE, at=NOON)

    assert (facts.responders, facts.admins) == ((ANA, BO, ROOT), (ROOT,))


async def test_the_facts_say_who_is_on_call_at_that_instant(tx: AsyncConnection, add_shift: AddShift) -> None:
    await add_shift(ANA, -4, 4)
    await add_shift(STRANGER, 4, 12)
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)

    before = await load_facts(tx, policy, team_id=CORE, at=hours(3.99))
    after = await load_facts(tx, policy, team_id=CORE, at=hours(4))
    later = await load_facts(tx, policy, team_id=CORE, at=hours(12))

    assert before.on_call[PRIMARY] == OnCall(ANA, PRIMARY, 1, OnCallReason.ENTRY, hours(4))
    assert after.on_call[PRIMARY] == OnCall(STRANGER, PRIMARY, 2, OnCallReason.ENTRY, hours(12))
    assert STRANGER in after.people  # no member, and yet reachable: the schedule says so
    assert later.on_call[PRIMARY] is None


async def test_an_outlook_says_of_each_instant_what_is_found_out_at_that_instant_and_asks_once(
    tx: AsyncConnection, add_shift: AddShift, add_rotation: AddRotation
) -> None:
    await add_shift(ANA, -4, 4)
    await add_shift(BO, 3, 5, override=True)
    await add_shift(STRANGER, 6, 12)
    await add_rotation(CY, GONE, restrictions='[{"weekdays": [0], "from": "04:00", "to": "07:00"}]')
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)

    with counting(tx) as sent:
        outlook = await load_outlook(tx, policy, team_id=CORE, since=hours(0), until=hours(24))
    answers: set[int | None] = set()
    for number in range(24):
        facts, expected = outlook.facts_at(hours(number)), await load_facts(tx, policy, team_id=CORE, at=hours(number))

        assert {each: one and (one.user_id, one.reason) for each, one in facts.on_call.items()} == {
            each: one and (one.user_id, one.reason) for each, one in expected.on_call.items()
        }
        assert facts.schedule_names == expected.schedule_names
        assert (facts.responders, facts.admins) == (expected.responders, expected.admins)
        assert facts.people.items() >= expected.people.items()
        held = facts.on_call[PRIMARY]
        answers.add(None if held is None else held.user_id)
    assert answers == {ANA, BO, STRANGER, CY, None}
    assert len(sent) == 2


async def test_overrides_win_and_end_the_answer_when_they_begin(tx: AsyncConnection, add_shift: AddShift) -> None:
    await add_shift(ANA, -4, 24 * 500)
    await add_shift(BO, 1, 2, override=True)
    await add_shift(CY, 1, 3, override=True, made=-99)
    await add_shift(BO, 24 * 400, 24 * 401, override=True)
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)

    facts: list[Facts] = [
        await load_facts(tx, policy, team_id=CORE, at=hours(number)) for number in (0, 1, 3, 24 * 400)
    ]

    answers = [each.on_call[PRIMARY] for each in facts]
    assert [(each.user_id, each.until) for each in answers if each] == [
        (ANA, hours(1)),
        (CY, hours(3)),
        (ANA, hours(24 * 400)),
        (BO, hours(24 * 401)),
    ]


async def test_somebody_on_call_who_is_inactive_leaves_the_level_to_the_next(
    tx: AsyncConnection, add_shift: AddShift
) -> None:
    await add_shift(GONE, -1, 1)
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)
    assert policy is not None

    facts = await load_facts(tx, policy, team_id=CORE, at=NOON)

    assert GONE not in facts.people
    assert [target.user_id for target in next_step(policy, facts, START).people] == [CY]


async def test_the_facts_say_whose_turn_it_is(tx: AsyncConnection, add_rotation: AddRotation) -> None:
    await add_rotation(ANA, STRANGER)
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)

    before, after = [await load_facts(tx, policy, team_id=CORE, at=hours(number)) for number in (-0.01, 0)]

    # In Berlin, where summer began in the night before.
    assert before.on_call[PRIMARY] == OnCall(STRANGER, PRIMARY, None, OnCallReason.ROTATION, hours(0), 1)
    assert after.on_call[PRIMARY] == OnCall(ANA, PRIMARY, None, OnCallReason.ROTATION, hours(24), 1)
    assert STRANGER in after.people  # whoever stands in the rotation may be paged, a member or not


async def test_the_turn_of_somebody_inactive_goes_to_the_next(tx: AsyncConnection, add_rotation: AddRotation) -> None:
    await add_rotation(GONE, CY)
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)
    assert policy is not None

    facts = await load_facts(tx, policy, team_id=CORE, at=NOON)

    assert [target.reason for target in next_step(policy, facts, START).people] == [
        ("policy 'own', level 2", "assigned by name", "on call on schedule 'primary' by rotation 1")
    ]


async def test_a_roster_has_what_decides_at_an_instant_and_until_when(
    tx: AsyncConnection, add_shift: AddShift, add_rotation: AddRotation
) -> None:
    await add_shift(ANA, -8, 0)
    await add_shift(GONE, 2, 3)
    await add_shift(BO, 5, 8)
    await add_shift(CY, 8, 9)
    await add_shift(ROOT, 50, 51, override=True)
    await add_rotation(ANA, CY, CY, restrictions='[{"weekdays": [6, 0], "from": "09:00", "to": "01:30"}]', priority=3)

    rosters = await load_rosters(tx, [EMPTY, PRIMARY], at=NOON)

    primary = rosters[PRIMARY]
    assert sorted(shift.user_id for shift in primary.shifts) == [BO, ROOT, GONE]  # CY's comes after another one
    assert primary.rotations == (
        Rotation(
            rotation_id=1,
            schedule_id=PRIMARY,
            user_ids=(ANA, CY, CY),
            kind=RotationKind.DAILY,
            length=1,
            handoff_at=datetime.fromisoformat("2026-03-01T14:00"),
            zone=ZoneInfo("Europe/Berlin"),
            windows=(Window(frozenset({0, 6}), time(9), time(1, 30)),),
            priority=3,
        ),
    )
    assert who_is_on_call(primary, NOON, EVERYBODY) == OnCall(CY, 1, None, OnCallReason.ROTATION, hours(2), 1)
    assert who_is_on_call(primary, NOON, {BO, CY}) == OnCall(CY, 1, None, OnCallReason.ROTATION, hours(5), 1)
    assert (rosters[EMPTY].name, rosters[EMPTY].shifts, rosters[EMPTY].rotations) == ("empty", (), ())


async def test_a_roster_for_a_stretch_of_time_has_what_touches_it(
    tx: AsyncConnection, add_shift: AddShift, add_rotation: AddRotation
) -> None:
    await add_rotation(ANA)
    for starts in (-2, -1, 0, 1, 2, 3):
        await add_shift(BO, starts, starts + 1)

    roster = await load_roster(tx, PRIMARY, since=hours(0), until=hours(3))

    assert sorted(shift.starts_at for shift in roster.shifts) == [hours(0), hours(1), hours(2)]
    assert roster.user_ids == {ANA, BO}
    with pytest.raises(NotFound):
        await load_roster(tx, 4711, since=hours(0), until=hours(3))


async def test_a_time_zone_that_this_machine_does_not_know_wakes_somebody_all_the_same(
    tx: AsyncConnection, add_rotation: AddRotation
) -> None:
    await add_rotation(ANA, BO, zone="Mars/Olympus_Mons")
    policy = await find_policy(tx, team_id=CORE, policy_id=OWN)

    facts = await load_facts(tx, policy, team_id=CORE, at=NOON)

    assert facts.on_call[PRIMARY] == OnCall(BO, PRIMARY, None, OnCallReason.ROTATION, hours(2), 1)


async def test_a_new_incident_costs_three_round_trips_and_two_without_schedules(
    tx: AsyncConnection, add_rotation: AddRotation
) -> None:
    await add_rotation(ANA, BO)
    await add_rotation(CY)
    with counting(tx) as sent:
        policy = await find_policy(tx, team_id=CORE, policy_id=OWN)
        await load_facts(tx, policy, team_id=CORE, at=NOON)
    assert len(sent) == 3

    with counting(tx) as sent:
        policy = await find_policy(tx, team_id=OTHER, policy_id=None)
        await load_facts(tx, policy, team_id=OTHER, at=NOON)
    assert len(sent) == 2


async def test_contacts_are_found_by_id_also_of_the_inactive(tx: AsyncConnection) -> None:
    found = await find_contacts(tx, [ANA, GONE, 4711])

    assert set(found) == {ANA, GONE}
    assert (found[ANA].phone, found[ANA].is_active) == ("+4915100000001", True)
    assert not found[GONE].is_active


async def test_contacts_bring_their_rules_and_where_those_lead_in_one_round_trip(
    tx: AsyncConnection, database: Callable[[str | None], Database]
) -> None:
    add = text("""
        WITH method AS (
            INSERT INTO directory.contact_methods (user_id, channel, address, created_at)
            VALUES (:user_id, 'sms', :address, now()) RETURNING id
        )
        INSERT INTO directory.notification_rules (user_id, severity, contact_method_id, delay_seconds)
        SELECT :user_id, 'info', id, 90 FROM method
    """)
    async with database(None).begin() as owner:
        for address in ("+4915100000009", "+4915100000010"):
            await owner.execute(add, {"user_id": ANA, "address": address})
        prove = "INSERT INTO directory.contact_proofs SELECT user_id, id, '+4915100000009', now()"
        await owner.execute(text(f"{prove} FROM directory.contact_methods"))

    with counting(tx) as sent:
        found = await find_contacts(tx, [ANA, BO])

    assert len(sent) == 1
    proven, other = found[ANA].rules
    assert (proven.severity, proven.delay, proven.channel) == ("info", timedelta(seconds=90), "sms")
    assert (proven.is_proven, other.is_proven) == (True, False), "a proof holds for the address that was proven"
    assert found[ANA].address(proven.channel, proven.method_id) == "+4915100000009"
    assert found[ANA].address(proven.channel, None) == "+4915100000001"
    assert found[BO].rules == ()
    assert "+49151" not in repr(found[ANA].rules)
