"""People: all of them, and one with what hangs on them. Their telephone is never shown whole to others."""

from collections.abc import Mapping
from math import ceil

from pagerpal_common.directory import addressee, find_contacts
from pagerpal_common.errors import PagerPalError
from pagerpal_common.notification_rules import plan
from pagerpal_common.vocabulary import Role, Severity
from starlette.responses import Response

from pagerpal_web.api import users as api
from pagerpal_web.context import Context
from pagerpal_web.domain.lacks import lacks
from pagerpal_web.domain.reach import reach_of
from pagerpal_web.domain.shown import plain
from pagerpal_web.masking import masked
from pagerpal_web.storage.channels import find_unserved
from pagerpal_web.storage.people_list import ON_A_PAGE, list_people, named_by
from pagerpal_web.ui.acting import Action, act, part, render_acted, secret
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.zones import zones

PEOPLE = "/users"
LAST_PAGE = 100_000


async def show_people(ctx: Context, visit: Visit, refused: PagerPalError | None = None) -> Response:
    """A page of the people, with how sure it is that a page wakes them."""
    words, page = visit.query.get("q", "").strip()[:255].replace("\x00", ""), _page(visit.query.get("page", ""))
    now = ctx.now()
    async with ctx.db.begin() as tx:
        people, total = await list_people(tx, words, page)
        contacts = await find_contacts(tx, [one.id for one in people])
        unserved = await find_unserved(tx)
    reach = {
        user_id: reach_of(plan(addressee(contact), severity=Severity.CRITICAL, requested_at=now, now=now), unserved)
        for user_id, contact in contacts.items()
    }
    values = {
        "people": people,
        "reach": reach,
        "total": total,
        "words": words,
        "page": page,
        "pages": ceil(total / ON_A_PAGE),
        "zones": zones(),
        "can_edit": visit.may(Role.ADMIN),
    }
    return await render_acted(ctx, visit, "people.html", refused, values)


async def act_on_people(ctx: Context, visit: Visit) -> Response:
    """What the forms of the list ask for."""
    return await act(ctx, visit, {"create": _create}, show_people)


async def show_person(ctx: Context, visit: Visit, refused: PagerPalError | None = None) -> Response:
    """Somebody: what they may do, what names them, and how they would be paged."""
    user, now = await api.get_user(ctx, visit.call(None)), ctx.now()
    async with ctx.db.begin() as tx:
        named = await named_by(tx, user.id, now)
        contacts = await find_contacts(tx, [user.id])
        unserved = await find_unserved(tx)
    person = addressee(contacts.get(user.id))
    plans = {severity: plan(person, severity=severity, requested_at=now, now=now) for severity in Severity}
    values = {
        "user": user,
        "phone": masked(user.phone),
        "at": now,
        "plans": plans,
        "reach": reach_of(plans[Severity.CRITICAL], unserved),
        "unserved": unserved,
        "lacking": lacks(unserved),
        "own_reach": reach_of(plans[Severity.CRITICAL]),
        "zones": zones(),
        "is_me": visit.me.user_id == user.id,
        "can_edit": visit.may(Role.ADMIN),
        **named,
    }
    return await render_acted(ctx, visit, "person.html", refused, values)


async def act_on_person(ctx: Context, visit: Visit) -> Response:
    """What the forms of somebody's page ask for."""
    return await act(ctx, visit, ACTIONS, show_person)


async def _create(ctx: Context, visit: Visit) -> Response:
    given: dict[str, object] = dict(visit.form.given("name", "email", "role", "phone", "timezone"))
    if password := secret(visit.form, "password"):
        given["password"] = password
    user = await api.create_user(ctx, visit.call(fit(api.NewUser, given)))
    return redirect(ctx, f"{PEOPLE}/{user.id}", f"{plain(user.name)} is added.")


async def _change(ctx: Context, visit: Visit) -> Response:
    form = part(visit.form)
    values = {name: form.text(name) for name in ("name", "email", "role", "timezone")}
    return await _changed(ctx, visit, values, "Saved.")


async def _change_phone(ctx: Context, visit: Visit) -> Response:
    return await _changed(ctx, visit, {"phone": part(visit.form).text("phone")}, "Phone number changed.")


async def _remove_phone(ctx: Context, visit: Visit) -> Response:
    return await _changed(ctx, visit, {"phone": None}, "Phone number removed.")


async def _set_password(ctx: Context, visit: Visit) -> Response:
    values = {"password": secret(part(visit.form), "password")}
    return await _changed(ctx, visit, values, "Password set. All their sessions have ended.")


async def _remove_password(ctx: Context, visit: Visit) -> Response:
    return await _changed(ctx, visit, {"password": None}, "Login removed. They can still be paged.")


async def _deactivate(ctx: Context, visit: Visit) -> Response:
    await api.deactivate_user(ctx, visit.call(None))
    return _back(ctx, visit, "Deactivated: they are not paged any more, and cannot log in.")


async def _reactivate(ctx: Context, visit: Visit) -> Response:
    said = "Reactivated: they are paged again wherever they are still assigned."
    return await _changed(ctx, visit, {"is_active": True}, said)


async def _end_sessions(ctx: Context, visit: Visit) -> Response:
    await api.end_sessions(ctx, visit.call(None))
    return _back(ctx, visit, "All their sessions have ended.")


async def _changed(ctx: Context, visit: Visit, values: Mapping[str, object], said: str) -> Response:
    await api.update_user(ctx, visit.call(fit(api.ChangedUser, values)))
    return _back(ctx, visit, said)


def _back(ctx: Context, visit: Visit, said: str) -> Response:
    return redirect(ctx, f"{PEOPLE}/{visit.ids['user_id']}", said)


def _page(text: str) -> int:
    """Which page is asked for; the first one when that is nothing sensible."""
    is_number = text.isascii() and text.isdigit() and len(text) < len(str(LAST_PAGE))
    return max(1, int(text)) if is_number else 1


ACTIONS: Mapping[str, Action] = {
    "change": _change,
    "change_phone": _change_phone,
    "remove_phone": _remove_phone,
    "set_password": _set_password,
    "remove_password": _remove_password,
    "deactivate": _deactivate,
    "reactivate": _reactivate,
    "end_sessions": _end_sessions,
}

PAGES: tuple[Page, ...] = (
    Page("GET", PEOPLE, show_people),
    Page("POST", PEOPLE, act_on_people, Role.ADMIN),
    Page("GET", PEOPLE + "/{user_id:int}", show_person),
    Page("POST", PEOPLE + "/{user_id:int}", act_on_person, Role.ADMIN),
)
