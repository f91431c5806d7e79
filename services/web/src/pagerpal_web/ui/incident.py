"""The page of one incident: how it stands, who has it, what happens next, and what has happened."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.directory import load_facts
from pagerpal_common.escalation import Step, next_step
from pagerpal_common.reasons import named
from pagerpal_common.vocabulary import IncidentStatus, Role
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from pagerpal_web.api.explain import Explanation, Whom, explained
from pagerpal_web.context import Context
from pagerpal_web.domain.coming import Coming, Standing, coming
from pagerpal_web.domain.reasons import inactive, with_people
from pagerpal_web.masking import masked
from pagerpal_web.storage.explain import Subject, get_subject
from pagerpal_web.storage.incident_page import RunGlance, find_run, list_lines, list_told, list_waiting
from pagerpal_web.storage.incidents import get_incident
from pagerpal_web.storage.names import find_names, list_active, names_of
from pagerpal_web.storage.raw_alerts import list_kept
from pagerpal_web.storage.reasons import find_known
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import render, render_part
from pagerpal_web.ui.pages import Page, Visit, not_found
from pagerpal_web.ui.raw import shown
from pagerpal_web.ui.words import clock_of

PASSED_OVER = ("level_skipped", "unreached")
"""Lines of the timeline that speak of people by their numbers."""

LOST = ("failed", "exhausted")
"""Notifications that can be tried again."""


async def show_incident(ctx: Context, visit: Visit) -> Response:
    """The page."""
    return await show(ctx, visit)


async def show_live(ctx: Context, visit: Visit) -> Response:
    """What of it changes, for htmx; opened by itself, the page."""
    number = visit.ids["incident_id"]
    if not visit.is_partial:
        return RedirectResponse(f"/incidents/{number}", 303)
    async with ctx.db.begin() as tx:
        return render_part(ctx, visit.visitor, "_incident_live.html", **await _load(ctx, tx, visit))


async def show(ctx: Context, visit: Visit, *, problems: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """The page with what was wrong above it, and what was typed still there.

    Raises:
        NotFound: there is no such incident.
    """
    async with ctx.db.begin() as tx:
        values = await _load(ctx, tx, visit)
        people = await list_active(tx, visit.me.user_id) if values["can_act"] else []
        values["raw"] = shown(await list_kept(tx, visit.ids["incident_id"]))
    values |= {"people": people, "problems": problems or {}, "typed": visit.form}
    response = await render(ctx, visit.visitor, "incident.html", status=status, **values)
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


async def show_explanation(ctx: Context, visit: Visit) -> Response:
    """Why somebody was paged for the incident, or why not."""
    asked = fit(Whom, {name: value for name, value in visit.query.items() if name == "user_id" and value})
    told = await explained(ctx, visit.call(asked), _clock(ctx, visit))
    async with ctx.db.begin() as tx:
        incident = await get_incident(tx, told.incident_id)
        await _with_names(ctx, tx, visit, told)
        people = await list_active(tx, visit.me.user_id)
    values: dict[str, Any] = {"told": told, "incident": incident, "people": people, "my_id": visit.me.user_id}
    return await render(ctx, visit.visitor, "explanation.html", **values)


async def _load(ctx: Context, tx: AsyncConnection, visit: Visit) -> dict[str, Any]:
    incident = await _incident(tx, visit.ids["incident_id"])
    subject = await get_subject(tx, incident.id)
    run = await find_run(tx, incident.escalation_id)
    told = [{**row, "address": masked(row["address"])} for row in await list_told(tx, incident.id)]
    known = await find_known(tx, (why for row in told for why in row["reason"]))
    clock = _clock(ctx, visit)
    told = [{**row, "reason": [named(why, known, clock) for why in row["reason"]]} for row in told]
    return {
        "incident": incident,
        "is_test": subject.is_test,
        "names": await names_of(tx, [incident]),
        "coming": await _coming(ctx, tx, subject, run),
        "is_waiting": run is None and incident.status is IncidentStatus.TRIGGERED and not subject.is_test,
        "policy": subject.policy,
        "lines": await _lines(tx, incident.id),
        "told": told,
        "has_lost": any(row["status"] in LOST for row in told) and incident.status is IncidentStatus.TRIGGERED,
        "can_act": visit.may(Role.RESPONDER),
        "my_id": visit.me.user_id,
    }


def _clock(ctx: Context, visit: Visit) -> Callable[[datetime], str]:
    return clock_of(ZoneInfo(visit.me.timezone), ctx.now(), seconds=True)


async def _with_names(ctx: Context, tx: AsyncConnection, visit: Visit, told: Explanation) -> None:
    """Put names into the chains of the explanation, where there are numbers in what is stored."""
    chains = [told.why_not, *(page.reason for page in told.pages)]
    chains += [way.reason for page in told.pages for way in page.notifications]
    known, clock = await find_known(tx, (why for chain in chains for why in chain)), _clock(ctx, visit)
    for chain in chains:
        chain[:] = [named(why, known, clock) for why in chain]


async def _lines(tx: AsyncConnection, incident_id: int) -> list[dict[str, Any]]:
    """The timeline, with the names of those whom levels were passed over for."""
    lines = [dict(line) for line in await list_lines(tx, incident_id)]
    by_us = [line for line in lines if line["event_type"] in PASSED_OVER]
    names = await find_names(tx, users={user for line in by_us for user in inactive(line["message"])})
    for line in by_us:
        line["message"] = with_people(line["message"], names.users)
    return lines


async def _incident(tx: AsyncConnection, number: int) -> IncidentView:
    if number < 1:
        raise not_found("incident")
    return await get_incident(tx, number)


async def _coming(ctx: Context, tx: AsyncConnection, subject: Subject, run: RunGlance | None) -> list[Coming]:
    step = await _next_step(tx, subject, run)
    people = [target.user_id for target in step.people] if step else []
    names = await find_names(tx, users=people)
    standing = Standing(
        status=subject.status,
        is_test=subject.is_test,
        ways=await list_waiting(tx, subject.incident_id),
        due_at=run.due_at if run else None,
        step=step,
        people=[names.user(user_id) for user_id in people],
    )
    return coming(standing, ctx.now())


async def _next_step(tx: AsyncConnection, subject: Subject, run: RunGlance | None) -> Step | None:
    """What the escalator will do at its next look, as things stand now: by the function that it uses itself."""
    if run is None or run.due_at is None or subject.policy is None or subject.status is IncidentStatus.RESOLVED:
        return None
    facts = await load_facts(tx, subject.policy, team_id=subject.team_id, at=run.due_at)
    return next_step(subject.policy, facts, subject.position)


PAGES: tuple[Page, ...] = (
    Page("GET", "/incidents/{incident_id:int}", show_incident),
    Page("GET", "/incidents/{incident_id:int}/live", show_live),
    Page("GET", "/incidents/{incident_id:int}/explain", show_explanation),
)
