"""Escalation policies: all of them, and one as a flow of levels with who would be paged now."""

from collections.abc import Mapping
from datetime import timedelta

from pagerpal_common.errors import PagerPalError
from pagerpal_common.vocabulary import Role, Severity
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from pagerpal_web.api import policies as api
from pagerpal_web.api.rows import Page as Stretch
from pagerpal_web.api.simulate import SimulatedRun, Subject, run_of
from pagerpal_web.context import Context
from pagerpal_web.domain.holes import NO_POLICY, NOBODY_PAGED
from pagerpal_web.domain.lacks import lacks
from pagerpal_web.domain.reasons import inactive, with_people
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.channels import find_unserved
from pagerpal_web.storage.names import find_names
from pagerpal_web.storage.people_list import list_active
from pagerpal_web.storage.policies import EscalationPolicy
from pagerpal_web.storage.policy_pages import count_sources, list_schedule_names, list_sources_of, list_team_names
from pagerpal_web.ui import policy_levels
from pagerpal_web.ui.acting import Action, act, filled, part, render_acted
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect, render_part
from pagerpal_web.ui.level_view import levels_now
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.policy_levels import POLICIES

EVERYTHING = Stretch(limit=1000, after=0)

NO_RESPONDERS = "the team has no responders"
"""What it means when the first level of no policy is passed over: that of the team's people."""


async def show_policies(ctx: Context, visit: Visit, refused: PagerPalError | None = None) -> Response:
    """Every policy, with what is wrong with it now."""
    policies = await api.list_policies(ctx, visit.call(EVERYTHING))
    async with ctx.db.begin() as tx:
        levels = await levels_now(tx, policies, ctx.now())
        teams = await list_team_names(tx)
        sources = await count_sources(tx)
    order = {team_id: place for place, team_id in enumerate(teams)}
    policies.sort(key=lambda one: (order.get(one.team_id, len(order)), not one.is_default, one.id))
    values = {
        "policies": policies,
        "levels": levels,
        "teams": teams,
        "sources": sources,
        "team": visit.query.get("team", ""),
        "can_edit": visit.may(Role.ADMIN),
    }
    return await render_acted(ctx, visit, "policies.html", refused, values)


async def act_on_policies(ctx: Context, visit: Visit) -> Response:
    """What the forms of the list ask for."""
    return await act(ctx, visit, {"create": _create}, show_policies)


async def show_policy(ctx: Context, visit: Visit, refused: PagerPalError | None = None) -> Response:
    """A policy whole."""
    policy = await api.get_policy(ctx, visit.call(None))
    async with ctx.db.begin() as tx:
        levels = (await levels_now(tx, [policy], ctx.now()))[policy.id]
        team_name = (await list_team_names(tx))[policy.team_id]
        schedules = await list_schedule_names(tx, policy.team_id)
        sources = await list_sources_of(tx, policy.id, policy.team_id, is_default=policy.is_default)
        people = await list_active(tx)
    choices = [("", "Choose…")]
    choices += [(f"schedule:{one.id}", f"On call: {plain(one.name)} ({plain(one.team_name)})") for one in schedules]
    choices += [(f"user:{one.id}", plain(one.name)) for one in people]
    values = {
        "policy": policy,
        "levels": levels,
        "team_name": team_name,
        "sources": sources,
        "choices": choices,
        "can_edit": visit.may(Role.ADMIN),
        **await _now(ctx, visit, policy),
    }
    return await render_acted(ctx, visit, "policy.html", refused, values)


async def act_on_policy(ctx: Context, visit: Visit) -> Response:
    """What the forms of a policy's page ask for."""
    return await act(ctx, visit, ACTIONS, show_policy)


async def show_now(ctx: Context, visit: Visit) -> Response:
    """Who would be paged now: the part of the page that is loaded again from time to time."""
    policy = await api.get_policy(ctx, visit.call(None))
    return render_part(ctx, visit.visitor, "_policy_now.html", policy=policy, **await _now(ctx, visit, policy))


async def _now(ctx: Context, visit: Visit, policy: EscalationPolicy) -> dict[str, object]:
    asked = visit.query.get("severity", "")
    severity = Severity(asked) if asked in set(Severity) else Severity.CRITICAL
    async with ctx.db.begin() as tx:
        run = await run_of(tx, Subject(policy.team_id, policy.id), severity, ctx.now())
        unserved = await find_unserved(tx)
        said = await _said(tx, run)
    return {
        "holes": said,
        "unserved": unserved,
        "lacking": lacks(unserved),
        "run": run,
        "severity": severity,
        "severities": list(Severity),
        "offsets": _offsets(run),
    }


async def _said(tx: AsyncConnection, run: SimulatedRun) -> list[list[str]]:
    """What is wrong with each step, in sentences: none of them twice, nor what the page says of the whole policy."""
    found = [(step.hole or "").split("; ") for step in run.steps]
    names = await find_names(tx, users={user for holes in found for hole in holes for user in inactive(hole)})
    told, said = {"", NO_POLICY}, list[list[str]]()
    for holes in found:
        said.append([with_people(hole, names.users) for hole in holes if hole not in told or hole == NOBODY_PAGED])
        told.update(holes)
    if run.policy_id is None:
        said = [[NO_RESPONDERS if sentence.startswith("Level 1 ") else sentence for sentence in step] for step in said]
    return said


def _offsets(run: SimulatedRun) -> Mapping[object, str]:
    """Each instant of the run as what a stopwatch shows."""
    instants = {step.at for step in run.steps}
    instants |= {one.at for step in run.steps for person in step.people for one in person.notifications}
    return {at: _stopwatch(at - run.at) for at in instants}


def _stopwatch(since: timedelta) -> str:
    minutes, seconds = divmod(int(since.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


async def _create(ctx: Context, visit: Visit) -> Response:
    policy = await api.create_policy(ctx, visit.call(filled(api.NewPolicy, visit.form, "team_id", "name")))
    return redirect(ctx, f"{POLICIES}/{policy.id}", f"{plain(policy.name)} is created. Next: add its first level.")


async def _change(ctx: Context, visit: Visit) -> Response:
    form = part(visit.form)
    values: dict[str, object] = {name: form.text(name) for name in ("name", "repeat_count", "reminder_minutes")}
    values |= form.cleared("ack_timeout_minutes")
    if form.is_on("is_default"):
        values["is_default"] = True
    policy = await api.update_policy(ctx, visit.call(fit(api.ChangedPolicy, values)))
    return redirect(ctx, f"{POLICIES}/{policy.id}", "Saved. Open incidents keep the policy they started with.")


async def _delete(ctx: Context, visit: Visit) -> Response:
    await api.delete_policy(ctx, visit.call(None))
    return redirect(ctx, POLICIES, "Policy deleted.")


ACTIONS: Mapping[str, Action] = {
    **policy_levels.ACTIONS,
    "change": _change,
    "delete": _delete,
}

PAGES: tuple[Page, ...] = (
    Page("GET", POLICIES, show_policies),
    Page("POST", POLICIES, act_on_policies, Role.ADMIN),
    Page("GET", POLICIES + "/{policy_id:int}", show_policy),
    Page("POST", POLICIES + "/{policy_id:int}", act_on_policy, Role.ADMIN),
    Page("GET", POLICIES + "/{policy_id:int}/now", show_now),
)
