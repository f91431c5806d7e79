"""Who did what, when and from where? The audit log, for administrators."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pagerpal_common.errors import Refusal
from pagerpal_common.vocabulary import Role
from starlette.responses import Response

from pagerpal_web.api.audit import AuditPage, list_audit
from pagerpal_web.context import Context
from pagerpal_web.domain.reasons import short
from pagerpal_web.storage.audit import Action, AuditEvent
from pagerpal_web.storage.audit_names import KINDS as NAMED
from pagerpal_web.storage.audit_names import find_labels
from pagerpal_web.storage.tables import NOUNS, kind_of
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import render, status_of
from pagerpal_web.ui.pages import Page, Visit

PAGE_SIZE = 50

FILTERS = ("actor_user_id", "action", "target_kind", "target_id")

ACTIONS: Mapping[str, str] = {
    Action.LOGIN: "logged in",
    Action.LOGIN_FAILED: "failed to log in",
    Action.LOGOUT: "logged out",
    Action.SESSION_ENDED: "had a session ended",
    Action.BOOTSTRAP: "became the first administrator",
    Action.PASSWORD_CHANGED: "changed a password",
    Action.ROLE_CHANGED: "changed a role",
    Action.KEY_REVEALED: "was shown a key",
    Action.CREATED: "created",
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
"""Words that go before what it was done to: "created team Platform"."""

POINTERS: Mapping[str, str] = {
    "user_id": "user",
    "user_ids": "user",
    "team_id": "team",
    "schedule_id": "schedule",
    "policy_id": "escalation_policy",
    "escalation_policy_id": "escalation_policy",
    "level_id": "escalation_level",
    "rotation_id": "rotation",
    "contact_method_id": "contact_method",
}
"""Fields that hold numbers, and of what."""

Labels = Mapping[tuple[str, int], str]


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
    async with ctx.db.begin() as tx:
        labels = await find_labels(tx, {one for event in found for one in _mentioned(event)})
    lines = [_line(event, labels) for event in found[:PAGE_SIZE]]
    older = urlencode({**filters, "after": lines[-1].event.id}) if len(found) > PAGE_SIZE else ""
    return await render(
        ctx, visit.visitor, "audit.html", status=status_of(refused), lines=lines, older=older,
        newest=urlencode(filters), is_first="after" not in wanted, filters=filters,
        typed=Form({name: [value] for name, value in wanted.items()}), problems=problems(refused) if refused else {},
        actions=[("", "Anything"), *((action, did.capitalize()) for action, did in ACTIONS.items())],
        kinds=[("", "Anything"), *((kind, noun.capitalize()) for kind, noun in KINDS.items())],
    )  # fmt: skip


def _mentioned(event: AuditEvent) -> Collection[tuple[str, int]]:
    """The kinds and numbers of all that a line speaks of."""
    found = [(event.target_kind, event.target_id)] if event.target_kind and event.target_id else []
    for values in (event.before or {}, event.after or {}):
        for name, kind in POINTERS.items():
            found += [(kind, number) for number in _numbers(values.get(name))]
    return found


def _numbers(value: Any) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [number for number in values if isinstance(number, int) and not isinstance(number, bool)]


def _called(kind: str, number: int | str, event: AuditEvent, labels: Labels) -> tuple[str, bool]:
    """What the line is about in words, and whether it is there still."""
    noun = KINDS.get(kind, kind.replace("_", " "))
    label = labels.get((kind, int(number))) if number else None
    if label is not None:
        return f"{noun} {short(label)}", True
    gone = (event.before or {}).get("name") or (event.after or {}).get("name")
    if isinstance(gone, str):
        return f"{noun} {short(gone)}", False
    whose = labels.get(("user", (event.before or {}).get("user_id", 0)))
    if whose is not None:
        return f"{noun} of {short(whose)}", False
    if kind in NAMED and number and event.action != Action.DELETED:
        return f"a deleted {noun} ({number})", False
    return f"{noun} {number}".strip(), kind not in NAMED


def _line(event: AuditEvent, labels: Labels) -> Line:
    kind, number = event.target_kind or "", event.target_id or ""
    is_oneself = kind == "user" and number == event.actor_user_id
    is_object = event.action in DONE_TO
    is_named = bool(kind) and (is_object or not is_oneself)
    target, is_there = _called(kind, number, event, labels) if is_named else ("", False)
    has_page = kind in PLACES and bool(number) and is_there
    before, after = event.before or {}, event.after or {}
    return Line(
        event=event,
        did=ACTIONS.get(event.action, event.action),
        target=target,
        href=f"{PLACES[kind]}/{number}" if has_page else "",
        is_object=is_object,
        changes=[(name, _text(before, name, labels), _text(after, name, labels)) for name in {**before, **after}],
        more=json.dumps(event.data, ensure_ascii=False) if event.data else "",
    )


def _text(values: Mapping[str, Any], name: str, labels: Labels) -> str:
    if name not in values:
        return ""
    value = values[name]
    if name in POINTERS and (numbers := _numbers(value)):
        kind = POINTERS[name]
        return ", ".join(short(labels.get((kind, one), f"a deleted {KINDS[kind]}")) + f" ({one})" for one in numbers)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PAGES: tuple[Page, ...] = (Page("GET", "/settings/audit", show_audit, Role.ADMIN),)
