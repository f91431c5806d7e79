"""What became of every accepted alert: `GET /api/v1/audit/pages`. The parts always add up."""

import asyncio
from datetime import datetime, timedelta

from pagerpal_common.errors import Unavailable, Unprocessable
from pagerpal_common.http import Call, Endpoint, Query
from pagerpal_common.vocabulary import Role
from pydantic import BaseModel, ConfigDict, Field

from pagerpal_web.context import Context
from pagerpal_web.domain.jobs import LATE
from pagerpal_web.domain.ledger import Accounts, Part, account, slices
from pagerpal_web.fields import Instant
from pagerpal_web.storage.ledger import begin_snapshot, list_elsewhere, list_ledger
from pagerpal_web.storage.resources import Moment

USUAL, LONGEST = timedelta(days=1), timedelta(days=366)

COUNT_SECONDS = 20.0
"""How long adding up may go on before whoever asks is told to ask for less."""


class Window(Query):
    """Alerts that arrived from this moment up to but not including that; the last day unless it is said otherwise."""

    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None


class PageAccounts(BaseModel):
    """`accepted` = `paged` + `pending` + `deduplicated` + `suppressed` + `failed`, always."""

    model_config = ConfigDict(serialize_by_alias=True, use_attribute_docstrings=True)

    from_: Moment = Field(alias="from")
    to: Moment
    at: Moment
    """When this was counted: what is pending now will be in another part."""
    accepted: int
    paged: int
    """A provider has taken at least one page of its incident."""
    pending: int
    """On its way, and in time."""
    deduplicated: int
    """Folded into an incident that was open, or resolved already."""
    suppressed: int
    """Nobody was to be paged."""
    suppressed_by_reason: dict[str, int]
    failed: int
    """Somebody was to be paged, and so far nobody has been reached."""
    failed_by_reason: dict[str, int]


async def get_accounts(ctx: Context, call: Call[Window]) -> PageAccounts:
    """What became of the alerts that were accepted in a window of at most 366 days, each of them once.

    It counts what is in the database: an alert that only the broker has for a moment is counted once it is taken in.
    503 when there is too much to add up in 20 seconds: ask for a shorter window.
    """
    at, ends_by = ctx.now(), asyncio.get_running_loop().time() + COUNT_SECONDS
    until = call.body.to or at
    since = call.body.from_ or until - USUAL
    _check_length(until - since)
    async with ctx.db.begin() as tx:
        await begin_snapshot(tx)
        groups = await list_elsewhere(tx, since=since, until=until)
        for begins, ends in slices(since, until):
            if asyncio.get_running_loop().time() > ends_by:
                raise Unavailable("there is too much to add up at once: ask for a shorter window")
            groups += await list_ledger(tx, since=begins, until=ends, late=at - LATE)
    return _shown(account(groups), {"from": since, "to": until, "at": at})


def _check_length(length: timedelta) -> None:
    problem = None if timedelta(0) < length <= LONGEST else f"must be after from, and at most {LONGEST.days} days"
    if problem:
        raise Unprocessable([{"loc": ["query", "to"], "msg": problem, "type": "value_error"}])


def _shown(accounts: Accounts, window: dict[str, datetime]) -> PageAccounts:
    parts = {str(part): accounts.parts[part] for part in Part}
    reasons = {"suppressed_by_reason": accounts.suppressed, "failed_by_reason": accounts.failed}
    return PageAccounts.model_validate({**window, "accepted": accounts.accepted, **parts, **reasons})


_PAGES = "/api/v1/audit/pages"

ENDPOINTS = (Endpoint("GET", _PAGES, get_accounts, Role.VIEWER, Window, gives=PageAccounts, refuses=(503,)),)
