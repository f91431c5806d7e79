"""What the escalator asks of incidents, and what it is asked."""

from typing import ClassVar

from pagerpal_common.contracts.incidents import IncidentCommand
from pagerpal_common.contracts.message import Message, Value


class Position(Value):
    """A place in an escalation: which pass over the policy, and which level of it. Level 0 is before the first page.

    `reminder` counts the repeated pages at that place, once the last pass is over.
    """

    pass_number: int
    level: int
    reminder: int = 0


class PageTarget(Value):
    """A person to reach, and the chain of reasons that leads to them: level, schedule, and the
    override, entry or rotation on it."""

    user_id: int
    reason: tuple[str, ...]


class EscalateIncident(Message):
    """Enter this level and page these people, if the incident still stands at `expected` in the same run.

    Applied by compare-and-set: a repeat, or one that comes after an acknowledgement, changes nothing. With
    `by` set a person asked for it: it then also takes an acknowledged incident back to triggered, as it does with
    `after_ack_timeout`.
    Answered with `IncidentChanged`.
    """

    topic: ClassVar[str] = "incident.escalate.v1"

    incident_id: int
    escalation_id: int
    expected: Position
    entering: Position
    people: tuple[PageTarget, ...]
    notes: tuple[str, ...] = ()
    """What was passed over on the way, one line each, for the timeline."""
    is_unreached: bool = False
    """The policy reached nobody; these people are the fallback."""
    by: "EscalationRequester | None" = None
    after_ack_timeout: bool = False
    """The acknowledger's time is up: the incident goes back to triggered, if it is acknowledged."""


class EscalationRequester(Value):
    """The person behind a manual escalation."""

    actor_user_id: int
    acting_as_user_id: int


class RequestEscalation(IncidentCommand):
    """A person wants the next level now. Answered with `IncidentChanged`.

    With `expected_level` it is refused once the incident has moved on, so that two clicks never skip a level.
    """

    topic: ClassVar[str] = "escalation.request.v1"

    expected_level: int | None = None
