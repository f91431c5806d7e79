"""May somebody take back the override that they have made? Pure: what became of it, by the audit log, is an argument.

It is for a slip. What is older others have begun to rely on: they hand over or take over again, or ask an admin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.errors import Conflict, Forbidden

from pagerpal_web.domain.first import length_of
from pagerpal_web.domain.reasons import short

UNDO_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Done:
    """What somebody did to a schedule entry."""

    action: str
    """`created`, `changed` or `deleted`."""
    user_id: int | None
    name: str | None
    at: datetime


def check_undo(history: Sequence[Done], *, me: int, now: datetime) -> None:
    """Whether `me` may remove the entry with this history, oldest first.

    Raises:
        Forbidden: it was made by somebody else, or too long ago.
        Conflict: it is not as it was made: somebody was first, and the text says who.
    """
    if not history or history[0].action != "created" or history[0].user_id != me:
        raise Forbidden("only whoever has made an override can undo it; an admin can remove it")
    last = history[-1]
    if last.action != "created":
        raise Conflict(f"{_who_was_first(last, me, now)} Nothing was changed.")
    if now - last.at > UNDO_WITHIN:
        minutes = int(UNDO_WITHIN.total_seconds() // 60)
        raise Forbidden(f"an override can be undone for {minutes} minutes; cover again, or ask an admin to remove it")


def _who_was_first(last: Done, me: int, now: datetime) -> str:
    did = "removed" if last.action == "deleted" else "changed"
    if last.user_id == me:
        return f"You had {did} this override already."
    return f"{short(last.name or 'Somebody')} {did} this override {length_of(now - last.at)} before you."
