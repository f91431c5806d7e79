"""Why was somebody told, and how? The chain that is stored with a notification, that its message told of more, and how
what it speaks of by number is called now.
"""

from collections.abc import Iterable

from pagerpal_common.directory import NAMED, known_of
from pagerpal_common.reasons import Known, mentioned
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.reasons import short

REASON = """
CASE WHEN merged_with = 0 THEN reason
     ELSE reason || jsonb_build_array('merged with ' || merged_with
                                      || CASE merged_with WHEN 1 THEN ' other' ELSE ' others' END
                                      || ' into one message') END
"""
"""SQL over the columns of `notification.notifications`. A message that tells of several is the notifier's answer to
more than anybody can read (docs/decisions/0026)."""

_NAMED = text(NAMED)


async def find_known(tx: AsyncConnection, lines: Iterable[str]) -> Known:
    """What is called how of all that these reasons speak of."""
    wanted = mentioned(lines)
    if not (wanted.rotations or wanted.entries):
        return Known({}, {})
    values = {"rotations": sorted(wanted.rotations), "entries": sorted(wanted.entries)}
    return known_of(await tx.execute(_NAMED, values), short)
