"""How is what a page's reasons speak of by number called now? Looked up only for what people read."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from pagerpal_common.directory import NAMED, known_of
from pagerpal_common.reasons import Known, mentioned
from pagerpal_common.vocabulary import Channel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.domain.text import name_in_sentence

TELL_WHY = frozenset({Channel.EMAIL, Channel.SLACK})
"""The channels whose messages give reasons in words. An SMS and a call have no room for them, and a webhook is read by
a program, which gets the chain as it is stored."""

_NAMED = text(f"""
{NAMED}
UNION ALL SELECT 'zone', id, timezone, NULL, NULL FROM directory.users WHERE id = ANY(:users)
""")


async def with_names(tx: AsyncConnection, claims: Sequence[Claim]) -> list[Claim]:
    """The claims, and with their pages what their reasons name. What is told by an SMS or a call waits for nothing."""
    told = [one for one in claims if one.channel in TELL_WHY and isinstance(one.page, Page)]
    wanted = mentioned(_reasons(told))
    if not (wanted.rotations or wanted.entries):
        return list(claims)
    values = {
        "rotations": sorted(wanted.rotations),
        "entries": sorted(wanted.entries),
        "users": sorted({one.user_id for one in told}),
    }
    rows = list(await tx.execute(_NAMED, values))
    known = known_of(rows, name_in_sentence)
    zones = {row.id: ZoneInfo(row.name) for row in rows if row.kind == "zone"}
    return [_named(one, known, zones.get(one.user_id, ZoneInfo("UTC"))) for one in claims]


def _reasons(claims: Sequence[Claim]) -> Iterable[str]:
    return (why for one in claims if isinstance(one.page, Page) for why in one.page.reason)


def _named(claim: Claim, known: Known, zone: ZoneInfo) -> Claim:
    if not isinstance(claim.page, Page):
        return claim
    return replace(claim, page=replace(claim.page, known=known, zone=zone))
