"""Who was first? What is said to somebody who acts on an incident that somebody else has acted on. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.vocabulary import IncidentStatus


def was_first(before: IncidentView, now: IncidentView, user_id: int) -> bool:
    """Whether an acknowledgement or a resolution is this person's, by how the incident stood before they asked."""
    if before.status is now.status:
        return False
    by = now.resolved_by if now.status is IncidentStatus.RESOLVED else now.acknowledged_by
    return by == user_id


def who_was(incident: IncidentView, user_id: int, names: Mapping[int, str]) -> str:
    """`resolved by Bo Berg`: who has brought it where it stands; nothing while it is triggered."""
    if incident.status is IncidentStatus.TRIGGERED:
        return ""
    by = incident.resolved_by if incident.status is IncidentStatus.RESOLVED else incident.acknowledged_by
    return f"{incident.status} by {_name(by, user_id, names)}"


def before_you(incident: IncidentView, user_id: int, names: Mapping[int, str], now: datetime) -> str:
    """`Bo Berg acknowledged it 4 s before you.`"""
    is_over = incident.status is IncidentStatus.RESOLVED
    by = incident.resolved_by if is_over else incident.acknowledged_by
    at = incident.resolved_at if is_over else incident.acknowledged_at
    name = _name(by, user_id, names)
    name = f"{name[:1].upper()}{name[1:]}"
    if by == user_id:
        return f"{name} had {incident.status} it already."
    return f"{name} {incident.status} it {length_of(now - (at or now))} before you."


def _name(by: int | None, user_id: int, names: Mapping[int, str]) -> str:
    if by is None:
        return "its alert source"
    return "you" if by == user_id else names.get(by, f"user {by}")


def length_of(length: timedelta) -> str:
    """How long before, in one unit."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
