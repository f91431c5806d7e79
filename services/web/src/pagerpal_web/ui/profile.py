"""One's own profile: who one is, how one is paged, one's password, and where one is logged in."""

from collections.abc import Mapping

from pagerpal_common.directory import addressee, find_contacts
from pagerpal_common.errors import NotFound, PagerPalError, Unavailable
from pagerpal_common.notification_rules import plan
from pagerpal_common.vocabulary import Severity
from starlette.responses import Response

from pagerpal_web.api import own_account as api
from pagerpal_web.api.contact_methods import list_contact_methods
from pagerpal_web.api.notification_rules import list_rules
from pagerpal_web.api.users import get_user
from pagerpal_web.context import Context
from pagerpal_web.domain.browsers import browser_of
from pagerpal_web.domain.lacks import lacks
from pagerpal_web.domain.reach import reach_of
from pagerpal_web.storage.channels import find_push_key, find_unserved
from pagerpal_web.storage.membership import find_membership
from pagerpal_web.storage.sessions import OwnSession
from pagerpal_web.ui import profile_devices, profile_ways
from pagerpal_web.ui.acting import Action, act, number, part, render_acted, secret
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.profile_ways import EVERYTHING, PROFILE
from pagerpal_web.ui.zones import zones

DELAYS = (0, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600)
"""Seconds to choose from; others can be set by the API."""


async def show_profile(
    ctx: Context, visit: Visit, refused: PagerPalError | None = None, signing_secret: str | None = None
) -> Response:
    """Everything of one's own; and the key of a webhook that has just been made, which is in no other answer."""
    me, now = visit.me.user_id, ctx.now()
    methods = await list_contact_methods(ctx, visit.call(EVERYTHING, user_id=me))
    async with ctx.db.begin() as tx:
        person = addressee((await find_contacts(tx, [me])).get(me))
        unserved = await find_unserved(tx)
        push_key = await find_push_key(tx)
        membership = await find_membership(tx, me, visit.me.role)
    plans = {severity: plan(person, severity=severity, requested_at=now, now=now) for severity in Severity}
    rules = await list_rules(ctx, visit.call(EVERYTHING, user_id=me))
    used = {rule.contact_method_id for rule in rules}
    values = {
        "user": await get_user(ctx, visit.call(None, user_id=me)),
        "methods": methods,
        "methods_by_id": {method.id: method for method in methods},
        "rules": rules,
        "unused": [one.id for one in methods if one.is_verified and not one.is_own and one.id not in used],
        "sessions": await _sessions(ctx, visit),
        "at": now,
        "plans": plans,
        "reach": reach_of(plans[Severity.CRITICAL], unserved),
        "own_reach": reach_of(plans[Severity.CRITICAL]),
        "unserved": unserved,
        "membership": membership,
        "lacking": lacks(unserved),
        "coded": visit.form.text("about") if visit.form.text("do") == "prove" else visit.query.get("code", ""),
        "delays": DELAYS,
        "messengers": profile_ways.messengers(ctx.settings.long_tail),
        "push_key": push_key,
        "device": profile_devices.device_of(visit),
        "zones": zones(),
        "signing_secret": signing_secret,
    }
    return await render_acted(ctx, visit, "profile.html", refused, values)


async def _sessions(ctx: Context, visit: Visit) -> list[tuple[OwnSession, str]]:
    """With their browsers; this one first, then the one that was used last."""
    sessions = await api.list_sessions(ctx, visit.call(EVERYTHING))
    sessions.sort(key=lambda one: (one.is_current, one.last_seen_at), reverse=True)
    return [(one, browser_of(one.user_agent)) for one in sessions]


async def act_on_profile(ctx: Context, visit: Visit) -> Response:
    """What the forms of the profile ask for. That something may not have been sent is said on the page, too."""
    try:
        return await act(ctx, visit, ACTIONS, show_profile)
    except Unavailable as error:
        return await show_profile(ctx, visit, error)


async def _change(ctx: Context, visit: Visit) -> Response:
    form = part(visit.form)
    values = {"name": form.text("name"), "timezone": form.text("timezone"), **form.cleared("phone")}
    await api.update_account(ctx, visit.call(fit(api.ChangedAccount, values)))
    return redirect(ctx, PROFILE, "Saved.")


async def _change_password(ctx: Context, visit: Visit) -> Response:
    form = part(visit.form)
    values = {name: secret(form, name) for name in ("current_password", "new_password")}
    response = await api.change_password(ctx, visit.call(fit(api.NewPassword, values)))
    out = redirect(ctx, PROFILE, "Password changed. Your other sessions have ended.")
    out.raw_headers.extend((name, value) for name, value in response.raw_headers if name == b"set-cookie")
    return out


async def _end_session(ctx: Context, visit: Visit) -> Response:
    await api.end_session(ctx, visit.call(None, session_id=number(visit.form, "about")))
    return redirect(ctx, PROFILE, "That session has ended.")


async def _end_others(ctx: Context, visit: Visit) -> Response:
    for session in await api.list_sessions(ctx, visit.call(EVERYTHING)):
        if session.is_current:
            continue
        try:
            await api.end_session(ctx, visit.call(None, session_id=session.id))
        except NotFound:
            continue  # somebody has just logged out there
    return redirect(ctx, PROFILE, "Your other sessions have ended.")


async def _add_method(ctx: Context, visit: Visit) -> Response:
    made = await profile_ways.add_method(ctx, visit)
    if made.signing_secret is not None:
        return await show_profile(ctx, visit, None, made.signing_secret)
    return redirect(ctx, PROFILE, "Added. Send a code to verify it: no page goes there before.")


ACTIONS: Mapping[str, Action] = {
    **profile_ways.ACTIONS,
    **profile_devices.ACTIONS,
    "change": _change,
    "change_password": _change_password,
    "end_session": _end_session,
    "end_others": _end_others,
    "add_method": _add_method,
}

PAGES: tuple[Page, ...] = (
    Page("GET", PROFILE, show_profile),
    Page("POST", PROFILE, act_on_profile),
)
