"""Would a page wake somebody? Pure: what is planned for them is the argument."""

from collections.abc import Sequence
from enum import StrEnum

from pagerpal_common.notification_rules import Planned
from pagerpal_common.vocabulary import Channel

RINGING = frozenset({Channel.SMS, Channel.VOICE})


class Reach(StrEnum):
    """How sure it is that a page is noticed at night."""

    RINGS = "rings"
    QUIET = "quiet"  # it goes somewhere, but nothing of it makes a telephone ring
    NOWHERE = "nowhere"


def reach_of(planned: Sequence[Planned]) -> Reach:
    """How far these notifications go."""
    channels = {one.channel for one in planned if one.problem is None}
    if not channels:
        return Reach.NOWHERE
    return Reach.RINGS if channels & RINGING else Reach.QUIET
