"""A world for the escalator: real PostgreSQL, a clock that the test moves, a bus that records, and incidents' part."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.bus import BatchSubscription, R, Subscription
from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.contracts.incidents import (
    IncidentAcknowledged,
    IncidentChanged,
    IncidentEscalated,
    IncidentResolved,
    IncidentView,
    TriggeredIncident,
)
from pagerpal_common.contracts.message import Message
from pagerpal_common.db import Database
from pagerpal_common.errors import BusUnavailable, Conflict
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.escalation import escalation_outbox
from pagerpal_escalator.context import Context
from pagerpal_escalator.handlers import ANSWER_SECONDS, Fact, follow_incidents
from pagerpal_escalator.loops import Watch, sweep, tick
from sqlalchemy import text

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
TEAM, POLICY = 1, 1


class RecordingBus:
    """Keeps what is published; answers requests with what the test says."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.is_up = True
        self.answer: Callable[[EscalateIncident], Awaitable[Message]] | None = None

    async def publish(self, *messages: Message) -> None:
        if not self.is_up:
            raise BusUnavailable("the broker is away")
        self.published.extend(messages)

    async def request(self, message: Message, reply: type[R], *, wait: float, expires: bool = True) -> R:
        assert (wait, expires) == (ANSWER_SECONDS, True)
        if self.answer is None or not isinstance(message, EscalateIncident):
            raise BusUnavailable("the broker is away")
        self.published.append(message)
        answer = await self.answer(message)
        assert isinstance(answer, reply)
        return answer

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def parked(self) -> int:
        return 0

    def is_connected(self) -> bool:
        return self.is_up


@dataclass
class World:
    """One escalator (`ctx`), and the test in the part of everybody else."""

    owner: Database
    open_database: Callable[[str | None], Database]
    now: datetime = NOON
    bus: RecordingBus = field(default_factory=RecordingBus)
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        self.ctx = self.another_escalator()

    def another_escalator(self) -> Context:
        database = self.open_database("escalator")
        return Context(database, self.bus, Outbox(escalation_outbox), lambda: self.now)

    def after(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    async def sql(self, statement: str, **values: object) -> Sequence[Any]:
        async with self.owner.begin() as tx:
            result = await tx.execute(text(statement), values)
            return result.all() if result.returns_rows else ()

    # --- the directory ---

    async def given_users(self, *names: str, role: str = "responder", member: bool = False) -> None:
        for name in names:
            await self.sql(
                "INSERT INTO directory.users (name, email, role, timezone, created_at)"
                " VALUES (:n, :n, :r, 'UTC', now())",
                n=name,
                r=role,
            )
            if member:
                await self.sql(
                    "INSERT INTO directory.team_members (team_id, user_id) VALUES (:t, :u)",
                    t=TEAM,
                    u=await self.id_of(name),
                )

    async def id_of(self, name: str) -> int:
        return int((await self.sql("SELECT id FROM directory.users WHERE name = :n", n=name))[0].id)

    async def names(self, asked: EscalateIncident) -> list[str]:
        rows = await self.sql("SELECT id, name FROM directory.users")
        known = {row.id: row.name for row in rows}
        return [known[target.user_id] for target in asked.people]

    async def given_policy(
        self, *levels: Sequence[str], repeat_count: int = 0, ack_timeout: float | None = None
    ) -> None:
        """A default policy; each level lists names of users, has five minutes times its number, and may be empty."""
        await self.sql(
            "INSERT INTO directory.escalation_policies (team_id, name, repeat_count, is_default, ack_timeout_minutes,"
            " reminder_minutes, created_at) VALUES (:t, 'nights', :r, true, :a, 30, now())",
            t=TEAM,
            r=repeat_count,
            a=ack_timeout,
        )
        for number, names in enumerate(levels, start=1):
            level = await self.sql(
                "INSERT INTO directory.escalation_levels (policy_id, level_number, timeout_minutes)"
                " VALUES (:p, :n, :n * 5) RETURNING id",
                p=POLICY,
                n=number,
            )
            for name in names:
                await self.sql(
                    "INSERT INTO directory.escalation_assignees (level_id, assignee_type, user_id)"
                    " VALUES (:l, 'user', :u)",
                    l=level[0].id,
                    u=await self.id_of(name),
                )

    async def given_schedule_at_level(self, number: int, *shifts: tuple[str, datetime, datetime]) -> None:
        schedule = await self.sql(
            "INSERT INTO directory.schedules (team_id, name, timezone, created_at) VALUES (:t, 'primary', 'UTC', now())"
            " RETURNING id",
            t=TEAM,
        )
        await self.sql(
            "INSERT INTO directory.escalation_assignees (level_id, assignee_type, schedule_id)"
            " SELECT id, 'schedule', :s FROM directory.escalation_levels WHERE level_number = :n",
            s=schedule[0].id,
            n=number,
        )
        for name, starts, ends in shifts:
            await self.sql(
                "INSERT INTO directory.schedule_entries"
                " (schedule_id, user_id, starts_at, ends_at, is_override, created_at)"
                " VALUES (:s, :u, :a, :b, false, now())",
                s=schedule[0].id,
                u=await self.id_of(name),
                a=starts,
                b=ends,
            )

    # --- incidents' part ---

    async def trigger(self, *, is_told: bool = True, policy_id: int | None = None) -> int:
        """An incident is opened; the escalator hears of it, unless that message is lost."""
        rows = await self.sql(
            "INSERT INTO incidents.incidents (title, description, severity, source_id, team_id, escalation_policy_id,"
            " status, current_escalation_level, escalation_id, escalation_pass, escalation_reminder, level_entered_at,"
            " notification_count, created_at, alert_count, last_alert_at, links, labels, is_unreached)"
            " VALUES ('disk', '', 'critical', 1, :t, :p, 'triggered', 0, nextval('incidents.escalation_ids'), 1, 0,"
            " :at, 0, :at, 1, :at, '[]', '{}', false) RETURNING id",
            t=TEAM,
            p=policy_id,
            at=self.now,
        )
        number = int(rows[0].id)
        if is_told:
            await self.tell(TriggeredIncident, number)
        return number

    async def tell(self, fact: type[Fact], number: int, *, escalation_id: int | None = None) -> None:
        await follow_incidents(self.ctx, [await self.fact(fact, number, escalation_id=escalation_id)])

    async def fact(self, kind: type[Fact], number: int, *, escalation_id: int | None = None) -> Fact:
        run = escalation_id or (await self.incident(number)).escalation_id
        return kind.model_validate({"incident_id": number, "escalation_id": run, "occurred_at": self.now})

    async def incident(self, number: int) -> Any:
        return (await self.sql("SELECT * FROM incidents.incidents WHERE id = :i", i=number))[0]

    async def apply(self, asked: EscalateIncident, *, is_told: bool = True) -> bool:
        """Enter the level by compare-and-set; whether it still fitted."""
        rows = await self.sql(
            "UPDATE incidents.incidents SET status = 'triggered', acknowledged_at = NULL, escalation_pass = :p,"
            " current_escalation_level = :l, escalation_reminder = :r, level_entered_at = :at"
            " WHERE id = :i AND escalation_id = :e AND escalation_pass = :xp AND current_escalation_level = :xl"
            " AND escalation_reminder = :xr AND (status = 'triggered' OR (status = 'acknowledged' AND :is_forced))"
            " RETURNING id",
            p=asked.entering.pass_number,
            l=asked.entering.level,
            r=asked.entering.reminder,
            at=self.now,
            i=asked.incident_id,
            e=asked.escalation_id,
            xp=asked.expected.pass_number,
            xl=asked.expected.level,
            xr=asked.expected.reminder,
            is_forced=asked.by is not None or asked.after_ack_timeout,
        )
        if rows and is_told:
            await self.tell(IncidentEscalated, asked.incident_id)
        return bool(rows)

    async def answer(self, asked: EscalateIncident) -> IncidentChanged:
        """What incidents replies to a level that a person asks for. The run is not told: it must find out."""
        if not await self.apply(asked, is_told=False):
            raise Conflict("it has moved on")
        return IncidentChanged(incident=await self.view(asked.incident_id), occurred_at=self.now)

    async def view(self, number: int) -> IncidentView:
        row = dict((await self.incident(number))._mapping)
        return IncidentView.model_validate(row)

    async def acknowledge(self, number: int, *, is_told: bool = True) -> None:
        await self.sql(
            "UPDATE incidents.incidents SET status = 'acknowledged', acknowledged_at = :at WHERE id = :i",
            at=self.now,
            i=number,
        )
        if is_told:
            await self.tell(IncidentAcknowledged, number)

    async def resolve(self, number: int, *, is_told: bool = True) -> None:
        await self.sql("UPDATE incidents.incidents SET status = 'resolved' WHERE id = :i", i=number)
        if is_told:
            await self.tell(IncidentResolved, number)

    async def reopen(self, number: int) -> None:
        await self.sql(
            "UPDATE incidents.incidents SET status = 'triggered', escalation_id = nextval('incidents.escalation_ids'),"
            " escalation_pass = 1, current_escalation_level = 0, escalation_reminder = 0, level_entered_at = :at"
            " WHERE id = :i",
            at=self.now,
            i=number,
        )
        await self.tell(TriggeredIncident, number)

    # --- the escalator's loops ---

    async def tick(self) -> int:
        return await tick(self.ctx, self.watch) + await sweep(self.ctx)

    async def relay(self) -> list[EscalateIncident]:
        """What leaves the outbox now."""
        before = len(self.bus.published)
        while await self.ctx.outbox.relay(self.ctx.db, self.bus):
            pass
        return [message for message in self.bus.published[before:] if isinstance(message, EscalateIncident)]

    async def steps(self) -> list[EscalateIncident]:
        """What the escalator asks for once it has looked around."""
        while await self.tick():
            pass
        return await self.relay()

    async def enters(self) -> EscalateIncident:
        """The one step that is asked for now; it is applied, and the escalator hears of it."""
        (asked,) = await self.steps()
        assert await self.apply(asked)
        return asked

    async def run_of(self, number: int) -> Any:
        rows = await self.sql(
            "SELECT e.* FROM escalation.escalations e JOIN incidents.incidents i USING (escalation_id) WHERE i.id = :i",
            i=number,
        )
        return rows[0] if rows else None


@pytest.fixture
async def world(database: Callable[[str | None], Database]) -> World:
    owner = database(None)
    made = World(owner, database)
    await made.sql("INSERT INTO directory.teams (name, created_at) VALUES ('core', now())")
    return made
