"""Alert sources: which are there, how is each doing, and what may be changed about it?"""

from datetime import timedelta
from typing import Any

from pagerpal_common.errors import Refusal
from pagerpal_common.vocabulary import Role, Severity
from starlette.responses import RedirectResponse, Response

from pagerpal_web.api.sources import ChangedSource, delete_source, update_source
from pagerpal_web.api.trial_alerts import send_test_alert
from pagerpal_web.context import Context
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.source_health import find_health, find_healths
from pagerpal_web.storage.source_pages import (
    count_sources,
    find_team_name,
    list_policies,
    list_sources,
    list_teams,
)
from pagerpal_web.storage.sources import SOURCES
from pagerpal_web.ui import source_words
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import redirect, render, status_of
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.setup import PLACEHOLDER, Place, other_ways, own_way
from pagerpal_web.ui.source_config import config_with, read_choices, shown

PAGE_SIZE = 50

SILENT = timedelta(days=14)
"""A source that has said nothing for as long may not be able to: worth a test alert."""


async def show_sources(ctx: Context, visit: Visit) -> Response:
    """All of them, and how each is doing."""
    page = _number(visit.query.get("page")) or 1
    async with ctx.db.begin() as tx:
        count = await count_sources(tx)
        listed = await list_sources(tx, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
        healths = await find_healths(tx, {one.source.id: one.source.is_active for one in listed}, at=ctx.now())
    rows = [(one.source, one.team, healths[one.source.id]) for one in listed]
    return await render(
        ctx, visit.visitor, "sources.html", rows=rows, count=count, page=page, pages=-(-count // PAGE_SIZE),
        is_admin=visit.may(Role.ADMIN), words=source_words,
    )  # fmt: skip


async def show_source(ctx: Context, visit: Visit) -> Response:
    """One of them, whole."""
    return await _show(ctx, visit, Form({}))


async def change_source(ctx: Context, visit: Visit) -> Response:
    """Another name, policy or configuration."""
    form = visit.form
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, visit.ids)
    try:
        config = config_with(source.config, read_choices(form), source.source_type)
        wanted = {"name": form.text("name"), **form.cleared("escalation_policy_id"), "config": config}
        await update_source(ctx, visit.call(fit(ChangedSource, wanted)))
    except Refusal as refused:
        return await _show(ctx, visit, form, refused)
    return redirect(ctx, _path(visit), "Saved. In effect within 5 seconds.")


async def switch_source(ctx: Context, visit: Visit) -> Response:
    """Off, or on again."""
    is_on = visit.form.text("is_active") == "true"
    await update_source(ctx, visit.call(fit(ChangedSource, {"is_active": is_on})))
    said = "Switched on: its alerts page again." if is_on else "Switched off: its alerts are refused from now on."
    return redirect(ctx, _path(visit), said)


async def test_source(ctx: Context, visit: Visit) -> Response:
    """A test alert; its incident is linked to on the page of the source."""
    try:
        incident = await send_test_alert(ctx, visit.call())
    except Refusal as refused:
        return await _show(ctx, visit, Form({}), refused)
    return RedirectResponse(f"{_path(visit)}?tested={incident.id}", 303)


async def remove_source(ctx: Context, visit: Visit) -> Response:
    """Take it away, unless an incident of it is open."""
    try:
        await delete_source(ctx, visit.call())
    except Refusal as refused:
        return await _show(ctx, visit, Form({}), refused)
    return redirect(ctx, "/alert-sources", "Alert source deleted.")


async def back_to_source(_ctx: Context, visit: Visit) -> Response:
    """Where the address of one of its forms is opened again."""
    return RedirectResponse(_path(visit), 303)


def place_of(ctx: Context, visit: Visit, key: str = PLACEHOLDER) -> Place:
    """Where the viewer's monitoring systems find us: as is set, or as the viewer's own browser has found us. The header
    that says this decides nothing: it is shown to whoever sent it."""
    request = visit.request
    here = f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"
    return Place((ctx.settings.public_url or here).rstrip("/"), key)


async def _show(ctx: Context, visit: Visit, typed: Form, refused: Refusal | None = None) -> Response:
    async with ctx.db.begin() as tx:
        source = await get_row(tx, SOURCES, visit.ids)
        health = await find_health(tx, source.id, is_active=source.is_active, at=ctx.now())
        team = await find_team_name(tx, source.team_id)
        teams = await list_teams(tx)
        policies = await list_policies(tx, source.team_id)
    place = place_of(ctx, visit)
    values: dict[str, Any] = {
        "source": source, "health": health, "team": team, "teams": teams, "policies": policies,
        "config": shown(source.config), "own_way": own_way(source.source_type, place),
        "other_ways": other_ways(source.source_type, place), "tested": _number(visit.query.get("tested")),
        "is_silent": health.last_alert_at is not None and ctx.now() - health.last_alert_at > SILENT,
        "severities": [("", "Critical, unless the alert says"), *((s, s.capitalize()) for s in Severity)],
    }  # fmt: skip
    return await render(
        ctx, visit.visitor, "source.html", status=status_of(refused), typed=typed,
        problems=problems(refused) if refused else {}, is_admin=visit.may(Role.ADMIN),
        is_responder=visit.may(Role.RESPONDER), words=source_words, **values,
    )  # fmt: skip


def _path(visit: Visit) -> str:
    return f"/alert-sources/{visit.ids['source_id']}"


def _number(given: str | None) -> int | None:
    """A number that somebody may have typed into the address; None for what is none."""
    is_one = given is not None and given.isascii() and given.isdecimal() and len(given) <= 9
    return int(given) if is_one and given is not None and int(given) > 0 else None


_SOURCE = "/alert-sources/{source_id:int}"

PAGES: tuple[Page, ...] = (
    Page("GET", "/alert-sources", show_sources),
    Page("GET", _SOURCE, show_source),
    Page("POST", _SOURCE, change_source, Role.ADMIN),
    Page("POST", f"{_SOURCE}/switch", switch_source, Role.ADMIN),
    Page("POST", f"{_SOURCE}/test", test_source, Role.RESPONDER),
    Page("GET", f"{_SOURCE}/test", back_to_source),
    Page("POST", f"{_SOURCE}/delete", remove_source, Role.ADMIN),
    Page("GET", f"{_SOURCE}/delete", back_to_source),
)
