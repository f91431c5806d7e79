"""What does a key mean that was pressed in a call?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import AcknowledgeIncident

ACKNOWLEDGE, ESCALATE = "1", "2"


@dataclass(frozen=True)
class Called:
    """A call, and how the incident that it was about stands now."""

    message_id: UUID
    notification_id: int
    incident_id: int
    user_id: int
    level: int
    is_wanted: bool
    """The page is not answered yet: its incident is triggered in the same run, and nobody has taken it in between."""
    is_latest: bool
    """The incident is still where it was when this person was called."""


def command_of(key: str, called: Called, *, at: datetime) -> AcknowledgeIncident | RequestEscalation | None:
    """What the called person wants done, in their own name; None when it is too late, or done.

    An acknowledgement counts for as long as the page does, also when somebody else has been paged meanwhile. A wish
    for the next level has come true by then.
    """
    if not called.is_wanted:
        return None
    person = called.user_id
    if key == ACKNOWLEDGE:
        return AcknowledgeIncident(
            incident_id=called.incident_id, actor_user_id=person, acting_as_user_id=person, occurred_at=at
        )
    if key == ESCALATE and called.is_latest:
        return RequestEscalation(
            incident_id=called.incident_id,
            actor_user_id=person,
            acting_as_user_id=person,
            expected_level=called.level,
            occurred_at=at,
        )
    return None
