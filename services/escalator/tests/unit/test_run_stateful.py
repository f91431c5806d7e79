"""A run and its incident under messages that are lost, doubled and reordered, late timers and clocks that disagree."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pagerpal_common.contracts.escalations import EscalateIncident, EscalationRequester, Position
from pagerpal_common.escalation import START, Assignee, Facts, Level, Person, Policy, next_step, wait_at
from pagerpal_common.vocabulary import IncidentStatus
from pagerpal_escalator.domain.run import ASK_AGAIN, LONGEST_ASK_AGAIN, Incident, State, ask, decide, new_run

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
ACK_TIMEOUT = timedelta(minutes=20)
FACTS = Facts({user: Person(user, str(user)) for user in (1, 2, 3)}, {}, {}, (), ())
LEVELS = tuple(
    Level(number, timedelta(minutes=2 * number), (Assignee(user_id=number),) if number != 2 else ())
    for number in (1, 2, 3)
)
POLICY = Policy(3, "nights", 1, timedelta(minutes=30), ACK_TIMEOUT, LEVELS)
PERSON = EscalationRequester(actor_user_id=1, acting_as_user_id=1)


@dataclass(frozen=True)
class Entry:
    """A position entered, by the true clock."""

    position: Position
    at: datetime
    asked: EscalateIncident
    acknowledged_at: datetime | None  # of the acknowledgement that it ended


class Escalation(RuleBasedStateMachine):
    """`self.incident` plays the incidents service, which applies a step by compare-and-set."""

    @initialize(ahead=st.sampled_from([0, 0, 0, 30, 3600, -30, -3600]))
    def trigger(self, ahead: int) -> None:
        self.now = NOON
        self.ahead = timedelta(seconds=ahead)
        self.incident = Incident(7, 70, 4, None, IncidentStatus.TRIGGERED, START, NOON, None)
        self.run = new_run(self.incident, POLICY, self.escalator_now())
        self.network: list[EscalateIncident] = []
        self.entries: list[Entry] = []

    def escalator_now(self) -> datetime:
        return self.now + self.ahead

    @rule()
    def look(self) -> None:
        """A message of any kind arrives, in any order and any number; or the loop takes a look."""
        verdict = decide(self.run, self.incident, self.escalator_now())
        self.run = verdict.run
        if verdict.asks:
            self.run, asked = ask(self.run, self.incident, FACTS, self.escalator_now())
            self.network.append(asked)

    @rule(seconds=st.sampled_from([0.1, 1, 2, 10, 60, 119, 120, 361, 1200, 20000]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.network)
    @rule(data=st.data(), is_doubled=st.booleans())
    def deliver(self, data: st.DataObject, is_doubled: bool) -> None:
        number = data.draw(st.integers(0, len(self.network) - 1))
        self.apply(self.network[number] if is_doubled else self.network.pop(number))

    @precondition(lambda self: self.network)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.network.pop(data.draw(st.integers(0, len(self.network) - 1)))

    @rule()
    def incidents_reads_what_is_asked(self) -> None:
        if self.run.asked is not None:
            self.apply(self.run.asked)

    @precondition(lambda self: self.incident.status is IncidentStatus.TRIGGERED)
    @rule()
    def acknowledge(self) -> None:
        self.incident = replace(self.incident, status=IncidentStatus.ACKNOWLEDGED, acknowledged_at=self.now)

    @precondition(lambda self: self.ahead == timedelta(0))
    @rule()
    def escalate_by_hand(self) -> None:
        if self.incident.status is IncidentStatus.RESOLVED:
            return
        step = next_step(POLICY, FACTS, self.incident.position, by_hand=True)
        self.apply(
            EscalateIncident(
                incident_id=7,
                escalation_id=70,
                expected=self.incident.position,
                entering=step.entering,
                people=step.people,
                by=PERSON,
                occurred_at=self.now,
            )
        )

    @precondition(lambda self: len(self.entries) > 6)
    @rule()
    def resolve(self) -> None:
        self.incident = replace(self.incident, status=IncidentStatus.RESOLVED)

    def apply(self, asked: EscalateIncident) -> None:
        is_held = self.incident.status is IncidentStatus.ACKNOWLEDGED
        allowed = (
            self.incident.status is IncidentStatus.TRIGGERED
            or (is_held and asked.after_ack_timeout)
            or (is_held and asked.by is not None)
        )
        if not allowed or asked.expected != self.incident.position:
            return
        self.entries.append(Entry(asked.entering, self.now, asked, self.incident.acknowledged_at if is_held else None))
        self.incident = replace(
            self.incident,
            status=IncidentStatus.TRIGGERED,
            position=asked.entering,
            level_entered_at=self.now,
            acknowledged_at=None,
        )

    @invariant()
    def levels_come_in_order_and_none_is_skipped(self) -> None:
        before = START
        for entry in self.entries:
            by_hand = entry.asked.by is not None
            assert entry.position == next_step(POLICY, FACTS, before, by_hand=by_hand).entering
            before = entry.position

    @invariant()
    def no_level_comes_early_and_none_in_a_burst(self) -> None:
        for before, entry in zip(self.entries, self.entries[1:], strict=False):
            if entry.asked.by is not None:
                continue
            if entry.acknowledged_at is not None:
                assert entry.at - entry.acknowledged_at >= ACK_TIMEOUT - max(self.ahead, timedelta(0))
                continue
            wait = wait_at(POLICY, before.position)
            if self.ahead > timedelta(0):
                # Clocks that disagree hide how long the request was under way, and no more than that.
                wait -= before.at - (before.asked.occurred_at - self.ahead)
            assert entry.at - before.at >= wait

    @invariant()
    def a_run_that_is_not_over_looks_again(self) -> None:
        if self.run.state in (State.ASKING, State.WAITING):
            assert self.run.due_at is not None
            assert self.run.due_at <= self.escalator_now() + max(POLICY.reminder, ACK_TIMEOUT, LONGEST_ASK_AGAIN)
        if self.run.state is not State.ASKING:
            assert self.run.asked is None

    def teardown(self) -> None:
        """Once nothing is lost any more, an incident that nobody answers always comes to its next page."""
        if not hasattr(self, "incident") or self.incident.status is IncidentStatus.RESOLVED:
            return
        entered = len(self.entries)
        self.network.clear()
        self.look()
        patience = max(wait_at(POLICY, self.incident.position), ACK_TIMEOUT, LONGEST_ASK_AGAIN) + ASK_AGAIN
        self.now += patience
        self.look()
        self.incidents_reads_what_is_asked()
        assert len(self.entries) > entered
        self.look()
        self.incidents_reads_what_is_asked()
        assert len(self.entries) == entered + 1


TestEscalation = Escalation.TestCase
TestEscalation.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
