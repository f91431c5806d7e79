"""Who did what, when and from where? The audit log, for administrators."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pagerpal_common.errors import Refusal
from pagerpal_common.vocabulary import Role
from starlette.responses import Response

from pagerpal_web.api.audit import AuditPage, list_audit
from pagerpal_web.context import Context
from pagerpal_web.storage.audit import Action, AuditEvent
from pagerpal_web.storage.tables import NOUNS, kind_of
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import render, status_of
from pagerpal_web.ui.pages import Page, Visit

PAGE_SIZE = 50

FILTERS = ("actor_user_id", "action", "target_kind", "target_id")

ACTIONS: Mapping[str, str] = {
    Action.LOGIN: "logged in",
    Action.LOGIN_FAILED: "did not get in",
    Action.LOGOUT: "logged out",
    Action.SESSION_ENDED: "had a session ended",
    Action.BOOTSTRAP: "became the first administrator",
    Action.PASSWORD_CHANGED: "changed a password",
    Action.ROLE_CHANGED: "changed a role",
    Action.KEY_REVEALED: "was shown a key",
    Action.CREATED: "made",
    Action.CHANGED: "changed",
    Action.DELETED: "deleted",
    Action.REPLIED: "answered by SMS",
    Action.REPLY_IGNORED: "sent an SMS that did nothing",
}
"""What somebody did."""

KINDS: Mapping[str, str] = {kind_of(table): noun for table, noun in NOUNS.items()}

PLACES: Mapping[str, str] = {
    "user": "/users",
    "team": "/teams",
    "schedule": "/schedules",
    "escalation_policy": "/escalation-policies",
    "alert_source": "/alert-sources",
    "incident": "/incidents",
}
"""Where there is a page of what a line is about."""

DONE_TO = frozenset({Action.CREATED, Action.CHANGED, Action.DELETED})
"""Words that go before what it was done to: "made team 1"."""


@dataclass(frozen=True)
class Line:
    """A line of the log as the page shows it."""

    event: AuditEvent
    did: str
    target: str
    href: str
    is_object: bool
    """Whether the target is the object of what was done."""
    changes: list[tuple[str, str, str]]
    """Field, before, after."""
    more: str


async def show_audit(ctx: Context, visit: Visit) -> Response:
    """A stretch of the log, the newest line first."""
    wanted = {name: visit.query[name].strip() for name in (*FILTERS, "after") if visit.query.get(name, "").strip()}
    try:
        query = fit(AuditPage, {**wanted, "limit": PAGE_SIZE + 1})
    except Refusal as refused:
        return await _show(ctx, visit, wanted, [], refused)
    return await _show(ctx, visit, wanted, await list_audit(ctx, visit.call(query)))


async def _show(
    ctx: Context, visit: Visit, wanted: Mapping[str, str], found: list[AuditEvent], refused: Refusal | None = None
) -> Response:
    filters = {name: value for name, value in wanted.items() if name != "after"}
    lines = [_line(event) for event in found[:PAGE_SIZE]]
    older = urlencode({**filters, "after": lines[-1].event.id}) if len(found) > PAGE_SIZE else ""
    return await render(
        ctx, visit.visitor, "audit.html", status=status_of(refused), lines=lines, older=older,
        newest=urlencode(filters), is_first="after" not in wanted, filters=filters,
        typed=Form({name: [value] for name, value in wanted.items()}), problems=problems(refused) if refused else {},
        actions=[("", "Anything"), *((action, did.capitalize()) for action, did in ACTIONS.items())],
        kinds=[("", "Anything"), *((kind, noun.capitalize()) for kind, noun in KINDS.items())],
    )  # fmt: skip


def _line(event: AuditEvent) -> Line:
    kind, number = event.target_kind or "", event.target_id or ""
    is_oneself = kind == "user" and number == event.actor_user_id
    is_object = event.action in DONE_TO
    is_named = bool(kind) and (is_object or not is_oneself)
    has_page = kind in PLACES and bool(number) and event.action != Action.DELETED
    before, after = event.before or {}, event.after or {}
    return Line(
        event=event,
        did=ACTIONS.get(event.action, event.action),
        target=f"{KINDS.get(kind, kind.replace('_', ' '))} {number}".strip() if is_named else "",
        href=f"{PLACES[kind]}/{number}" if has_page else "",
        is_object=is_object,
        changes=[(name, _text(before, name), _text(after, name)) for name in {**before, **after}],
        more=json.dumps(event.data, ensure_ascii=False) if event.data else "",
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return ""
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PAGES: tuple[Page, ...] = (Page("GET", "/settings/audit", show_audit, Role.ADMIN),)
