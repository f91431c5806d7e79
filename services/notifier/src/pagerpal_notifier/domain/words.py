"""What is there to say, when one message tells of several pages, or goes out late?"""

from collections.abc import Sequence
from datetime import datetime

from pagerpal_common.vocabulary import Severity

from pagerpal_notifier.domain.budget import LATE
from pagerpal_notifier.domain.page import Digest, Page

MOST_NAMED = 50
"""Pages of a digest that its text may name: more than anybody reads."""


def minutes_late(wanted_at: datetime, now: datetime) -> int:
    """Whole minutes; none when it is not worth saying."""
    late = now - wanted_at
    return int(late.total_seconds() // 60) if late >= LATE else 0


def digest_of(pages: Sequence[Page], *, incidents: int, worst: Severity, late: int) -> Digest:
    """Of pages, the most urgent first: several of one incident, by its levels and repeats, are one in the text."""
    named = {page.incident_id: page for page in reversed(pages)}
    return Digest(
        pages=tuple(page for page in pages if named[page.incident_id] is page),
        incidents=incidents,
        severity=worst,
        delayed=late,
    )
