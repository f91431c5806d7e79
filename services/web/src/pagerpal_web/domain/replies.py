"""Is what an SMS asks for to be done: by whom, and with which incident?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pagerpal_common.contracts.replies import SmsReply
from pagerpal_common.vocabulary import ReplyCommand, Role


class Reason(StrEnum):
    """Why nothing is done."""

    UNKNOWN_SENDER = "unknown_sender"  # nobody has this number
    SHARED_NUMBER = "shared_number"  # several active people have it: it cannot be told who it was
    NOT_ALLOWED = "not_allowed"  # a viewer, or somebody deactivated
    NOT_UNDERSTOOD = "not_understood"
    NO_INCIDENT_NAMED = "no_incident_named"  # resolving and escalating are never guessed
    NOTHING_OPEN = "nothing_open"  # no incident waits for this person
    SEVERAL_OPEN = "several_open"  # more than one does
    REFUSED = "refused"  # the incident's own state, or there is none


@dataclass(frozen=True)
class Sender:
    """Somebody who has the number, as they are now."""

    user_id: int
    role: Role
    is_active: bool


def who(people: Sequence[Sender]) -> Sender | Reason:
    """Whose word it is. A number that somebody had who is deactivated may be somebody else's by now."""
    if not people:
        return Reason.UNKNOWN_SENDER
    active = [person for person in people if person.is_active]
    if len(active) > 1:
        return Reason.SHARED_NUMBER
    if not active or active[0].role is Role.VIEWER:
        return Reason.NOT_ALLOWED
    return active[0]


def which(reply: SmsReply, waiting: Sequence[int]) -> int | Reason:
    """The incident it is about.

    Args:
        waiting: the triggered incidents that want this person just now; two of them say enough.
    """
    if reply.command is None:
        return Reason.NOT_UNDERSTOOD
    if reply.incident_id is not None:
        return reply.incident_id
    if reply.command is not ReplyCommand.ACKNOWLEDGE:
        return Reason.NO_INCIDENT_NAMED
    if len(waiting) != 1:
        return Reason.SEVERAL_OPEN if waiting else Reason.NOTHING_OPEN
    return waiting[0]
