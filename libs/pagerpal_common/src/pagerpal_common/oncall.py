"""Who is on call on a schedule at an instant? Pure: the shifts and the instant are arguments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.vocabulary import OnCallReason


@dataclass(frozen=True)
class Shift:
    """One person's stretch on a schedule: a normal entry, or an override that takes precedence over it."""

    entry_id: int
    schedule_id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime
    is_override: bool
    created_at: datetime


@dataclass(frozen=True)
class OnCall:
    """The person, why, and until when this answer holds unless a shift is changed."""

    user_id: int
    schedule_id: int
    entry_id: int
    reason: OnCallReason
    until: datetime


def who_is_on_call(shifts: Iterable[Shift], at: datetime) -> OnCall | None:
    """The person on call on one schedule at `at`; None when nobody is.

    A shift holds from its start up to but not including its end. Overrides come before entries; of two overrides
    the one created later wins.
    """
    ranked = sorted(shifts, key=_precedence, reverse=True)
    holder = next((shift for shift in ranked if shift.starts_at <= at < shift.ends_at), None)
    if holder is None:
        return None
    stronger = ranked[: ranked.index(holder)]
    until = min([holder.ends_at, *(s.starts_at for s in stronger if at < s.starts_at < holder.ends_at)])
    reason = OnCallReason.OVERRIDE if holder.is_override else OnCallReason.ENTRY
    return OnCall(holder.user_id, holder.schedule_id, holder.entry_id, reason, until)


def _precedence(shift: Shift) -> tuple[bool, datetime, int]:
    return (shift.is_override, shift.created_at, shift.entry_id)
