"""What do the buttons of an incident do? What the API does; and then the page says what came of it, and who was first.

An action that finds nobody to answer it changes nothing, and the page comes back with what was typed.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import NotFound, Refusal, Unavailable
from pagerpal_common.http import Body
from pagerpal_common.vocabulary import IncidentStatus, Role
from starlette.responses import Response

from pagerpal_web.api import incidents as api
from pagerpal_web.context import Context
from pagerpal_web.domain.first import before_you, was_first
from pagerpal_web.storage.incidents import get_incident
from pagerpal_web.storage.names import Names, names_of
from pagerpal_web.ui.forms import fit, problems
from pagerpal_web.ui.html import redirect, status_of
from pagerpal_web.ui.incident import show
from pagerpal_web.ui.pages import Page, Visit

DELAYED = "Nothing was changed: nobody has answered in time. What you typed is still here; try again in a moment."


async def acknowledge(ctx: Context, visit: Visit) -> Response:
    """Somebody is on it."""
    return await _act(ctx, visit, api.ActingUser, api.acknowledge, _acknowledged)


async def resolve(ctx: Context, visit: Visit) -> Response:
    """It is over."""
    return await _act(ctx, visit, api.ActingUser, api.resolve, _resolved)


async def reopen(ctx: Context, visit: Visit) -> Response:
    """It is not over."""
    return await _act(ctx, visit, api.ActingUser, api.reopen, _reopened)


async def escalate(ctx: Context, visit: Visit) -> Response:
    """The next level, now; but not once more when somebody else has asked for it."""
    return await _act(ctx, visit, api.Escalation, api.escalate, _escalated, "expected_level")


async def add_note(ctx: Context, visit: Visit) -> Response:
    """Words for the timeline."""
    return await _act(ctx, visit, api.NewNote, api.add_note, _noted, "text")


async def retry(ctx: Context, visit: Visit) -> Response:
    """Try failed notifications again, in the name of who is logged in: the form is no body of the API's."""
    try:
        user_id = _acting_as(visit)
        retried = await api.retry_notifications_as(ctx, visit.call(), user_id)
    except (Refusal, Unavailable) as error:
        return await _refused(ctx, visit, error, "")
    if retried.queued_count:
        said = f"{retried.queued_count} of {retried.retried_count} failed notifications will be tried again."
    else:
        said = (
            "None of the notifications can be retried: the incident no longer needs them, or there is no valid address."
        )
    return redirect(ctx, _path(visit), said)


Say = Callable[[IncidentView, IncidentView, int, Names, Any], str]


async def _act(
    ctx: Context,
    visit: Visit,
    model: type[Body],
    handler: Callable[[Context, Any], Awaitable[IncidentView]],
    say: Say,
    *fields: str,
) -> Response:
    async with ctx.db.begin() as tx:
        before = await get_incident(tx, visit.ids["incident_id"])
    user_id = _acting_as(visit)
    values = {name: visit.form.text(name) for name in fields}
    try:
        now = await handler(ctx, visit.call(fit(model, {"user_id": user_id, **values})))
    except NotFound:
        raise
    except (Refusal, Unavailable) as error:
        return await _refused(ctx, visit, error, await _why(ctx, before.id, user_id))
    async with ctx.db.begin() as tx:
        names = await names_of(tx, [now], user_id)
    return redirect(ctx, _path(visit), say(before, now, user_id, names, ctx.now()))


def _acting_as(visit: Visit) -> int:
    """Whoever is chosen; who is logged in where nobody is."""
    chosen = fit(api.Retry, visit.form.given("user_id")).user_id
    return visit.me.user_id if chosen is None else chosen


async def _why(ctx: Context, incident_id: int, user_id: int) -> str:
    """How the incident stands by now, where that may be why something was refused."""
    async with ctx.db.begin() as tx:
        incident = await get_incident(tx, incident_id)
        names = await names_of(tx, [incident])
    if incident.status is not IncidentStatus.RESOLVED:
        return ""
    return before_you(incident, user_id, names.users, ctx.now())


async def _refused(ctx: Context, visit: Visit, error: Refusal | Unavailable, why: str) -> Response:
    status = status_of(error)
    found: Mapping[str, str] = {"": DELAYED} if isinstance(error, Unavailable) else problems(error)
    if why and "" in found and status in {400, 409}:
        found = {**found, "": f"{why} {found['']}"}
    return await show(ctx, visit, problems=found, status=status)


def _acknowledged(before: IncidentView, now: IncidentView, user_id: int, names: Names, at: Any) -> str:
    if not was_first(before, now, user_id):
        return f"{before_you(now, user_id, names.users, at)} Nobody else is paged."
    return f"Acknowledged by {names.user(user_id)}. Nobody else is paged."


def _resolved(before: IncidentView, now: IncidentView, user_id: int, names: Names, at: Any) -> str:
    if not was_first(before, now, user_id):
        return before_you(now, user_id, names.users, at)
    return f"Resolved by {names.user(user_id)}."


def _reopened(before: IncidentView, now: IncidentView, *_: Any) -> str:
    if before.escalation_id == now.escalation_id:
        return "It was open already. Nothing was changed."
    return "Reopened: its escalation begins again at level 1."


def _escalated(_before: IncidentView, now: IncidentView, *_: Any) -> str:
    return f"Escalated to level {now.current_escalation_level}."


def _noted(*_: Any) -> str:
    return "Your note is on the timeline."


def _path(visit: Visit) -> str:
    return f"/incidents/{visit.ids['incident_id']}"


async def back(_ctx: Context, visit: Visit) -> Response:
    """Where a form's own address is opened again, after a login, say."""
    return redirect(_ctx, _path(visit))


_INCIDENT = "/incidents/{incident_id:int}"

_ACTIONS: Mapping[str, Callable[[Context, Visit], Awaitable[Response]]] = {
    "ack": acknowledge,
    "resolve": resolve,
    "reopen": reopen,
    "escalate": escalate,
    "notes": add_note,
    "retry": retry,
}

PAGES: tuple[Page, ...] = (
    *(Page("POST", f"{_INCIDENT}/{name}", handler, Role.RESPONDER) for name, handler in _ACTIONS.items()),
    *(Page("GET", f"{_INCIDENT}/{name}", back) for name in _ACTIONS),
)
