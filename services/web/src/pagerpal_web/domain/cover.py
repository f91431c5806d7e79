"""Who may stand in for whom, without being an admin? Pure: who is on call, and who could be, are arguments.

A responder is one side of it: they take a time over themselves, or hand over a time that is wholly their own
(docs/decisions/0031-pages-of-who-is-on-call.md).
"""

from collections.abc import Collection
from datetime import timedelta

from pagerpal_common.errors import Forbidden, Invalid
from pagerpal_common.oncall import Timeline

from pagerpal_web.domain.coverage import is_held_by

LONGEST = timedelta(days=31)
"""What is longer is a change of the schedule, and so an admin's."""


def check_cover(timeline: Timeline, length: timedelta, *, me: int, stand_in: int, colleagues: Collection[int]) -> None:
    """Whether `me` may put `stand_in` on call for the whole of `timeline`, which is `length` long.

    Args:
        colleagues: who may be on call here: active, no viewers, of the schedule's team or on the schedule already.

    Raises:
        Invalid: it is too long, it changes nothing, or the stand-in is nobody's colleague here.
        Forbidden: it is a shift between others.
    """
    if length > LONGEST:
        raise Invalid(f"somebody can stand in for at most {LONGEST.days} days at a time; an admin can change more")
    if stand_in not in colleagues:
        raise Invalid("only active responders and admins of this team, or of this schedule, can stand in here")
    if is_held_by(timeline, stand_in):
        raise Invalid("nothing would change: whoever was chosen is on call then already")
    if stand_in != me and not is_held_by(timeline, me):
        raise Forbidden("you can hand over only a time for which you are on call yourself, from its start to its end")
