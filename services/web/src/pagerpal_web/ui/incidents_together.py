"""Acknowledge or resolve the incidents that are ticked in the list: one form, and the API's own action for each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import Invalid, Refusal, Unavailable
from pagerpal_common.vocabulary import Role
from starlette.responses import RedirectResponse, Response

from pagerpal_web.api import incidents as api
from pagerpal_web.context import Context
from pagerpal_web.domain.first import was_first, who_was
from pagerpal_web.domain.together import Ending, Outcome, summary
from pagerpal_web.storage.incidents import find_incidents
from pagerpal_web.storage.names import names_of
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.incident_list import filters_in, show
from pagerpal_web.ui.pages import Page, Visit

AT_ONCE = 8
"""Actions under way together: a hundred ticked boxes are answered while somebody waits, and nobody else has to."""

MOST_TICKED = 200

Handler = Callable[[Context, Any], Awaitable[IncidentView]]

ACTIONS: Mapping[str, tuple[Handler, str]] = {
    "ack": (api.acknowledge, "acknowledged"),
    "resolve": (api.resolve, "resolved"),
}


@dataclass(frozen=True)
class Tried:
    """An action on one incident: how that stands now, or why it does not."""

    incident_id: int
    now: IncidentView | None = None
    error: Refusal | Unavailable | None = None


async def act_together(ctx: Context, visit: Visit) -> Response:
    """Do it for each that is ticked, and say of how many it was done, and who was faster with the others."""
    if visit.form.text("do") not in ACTIONS:
        raise Invalid("Say what is to be done: acknowledge or resolve.")
    handler, done = ACTIONS[visit.form.text("do")]
    filters = filters_in(visit.form.text("filters"))
    numbers = _ticked(visit)
    async with ctx.db.begin() as tx:
        before = {incident.id: incident for incident in await find_incidents(tx, numbers)}
    tried = await _try_all(ctx, visit, handler, sorted(before))
    outcomes = [*await _outcomes(ctx, visit, before, tried), *_missing(numbers, before)]
    said = summary(outcomes, done)
    delayed = [outcome.incident_id for outcome in outcomes if outcome.ending is Ending.DELAYED]
    if delayed:
        return await show(ctx, visit, filters, ticked=delayed, problem=said, status=503)
    return redirect(ctx, f"/incidents?{filters.address()}", said)


def _ticked(visit: Visit) -> list[int]:
    given = {int(value) for value in visit.form.texts("incident")[:MOST_TICKED] if value.isascii() and value.isdigit()}
    return sorted(number for number in given if 0 < number < 2**63)


async def _try_all(ctx: Context, visit: Visit, handler: Handler, numbers: Sequence[int]) -> list[Tried]:
    """Some at a time; once nobody answers, the rest is not even tried."""
    tried: list[Tried] = []
    for start in range(0, len(numbers), AT_ONCE):
        group = numbers[start : start + AT_ONCE]
        if any(isinstance(one.error, Unavailable) for one in tried):
            tried += [Tried(number, error=Unavailable("not tried")) for number in group]
        else:
            tried += await asyncio.gather(*(_try(ctx, visit, handler, number) for number in group))
    return tried


async def _try(ctx: Context, visit: Visit, handler: Handler, number: int) -> Tried:
    body = fit(api.ActingUser, {"user_id": visit.me.user_id})
    try:
        return Tried(number, await handler(ctx, visit.call(body, incident_id=number)))
    except (Refusal, Unavailable) as error:
        return Tried(number, error=error)


async def _outcomes(
    ctx: Context, visit: Visit, before: Mapping[int, IncidentView], tried: Sequence[Tried]
) -> list[Outcome]:
    refused = [one.incident_id for one in tried if isinstance(one.error, Refusal)]
    async with ctx.db.begin() as tx:
        later = {incident.id: incident for incident in await find_incidents(tx, refused)}
        shown = [one.now or later.get(one.incident_id) or before[one.incident_id] for one in tried]
        names = await names_of(tx, shown)
    me = visit.me.user_id
    return [
        _outcome(one, before[one.incident_id], state, who_was(state, me, names.users), me)
        for one, state in zip(tried, shown, strict=True)
    ]


def _outcome(tried: Tried, before: IncidentView, state: IncidentView, who: str, me: int) -> Outcome:
    if isinstance(tried.error, Unavailable):
        return Outcome(tried.incident_id, Ending.DELAYED)
    if tried.now is not None and was_first(before, tried.now, me):
        return Outcome(tried.incident_id, Ending.DONE)
    if who:
        return Outcome(tried.incident_id, Ending.TOO_LATE, who)
    return Outcome(tried.incident_id, Ending.REFUSED, f"is {state.status}")


def _missing(numbers: Sequence[int], before: Mapping[int, IncidentView]) -> list[Outcome]:
    return [Outcome(number, Ending.REFUSED, "is not there") for number in numbers if number not in before]


async def back(_ctx: Context, _visit: Visit) -> Response:
    """Where the form's own address is opened again."""
    return RedirectResponse("/incidents", 303)


PAGES: tuple[Page, ...] = (
    Page("POST", "/incidents/together", act_together, Role.RESPONDER),
    Page("GET", "/incidents/together", back),
)
