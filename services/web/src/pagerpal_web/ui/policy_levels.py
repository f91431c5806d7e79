"""What can be done about the levels of a policy? Each added, moved, changed, removed, and whom it reaches."""

from collections.abc import Mapping

from pagerpal_common.errors import Conflict, Refusal, Unprocessable
from starlette.responses import Response

from pagerpal_web.api import policies as api
from pagerpal_web.api.level_order import Move
from pagerpal_web.api.level_order import move_level as move
from pagerpal_web.context import Context
from pagerpal_web.ui.acting import Action, filled, number, part
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Visit

POLICIES = "/escalation-policies"


async def add_level(ctx: Context, visit: Visit) -> Response:
    """Add a level after the last one, and whom it reaches."""
    form, policy = part(visit.form), await api.get_policy(ctx, visit.call(None))
    reaching = _assignee(form)
    last = max((level.level_number for level in policy.levels), default=0)
    level = await api.create_level(
        ctx, visit.call(filled(api.NewLevel, form, "timeout_minutes", level_number=last + 1))
    )
    try:
        await api.create_assignee(ctx, visit.call(reaching, policy_id=policy.id, level_id=level.id))
    except Refusal as refused:
        why = " ".join(problems(refused).values())
        raise Conflict(f"level {level.level_number} is added, but it reaches nobody yet. {why}") from None
    return _back(ctx, visit, f"Level {level.level_number} is added.")


async def change_level(ctx: Context, visit: Visit) -> Response:
    """Let it wait longer or shorter for an answer."""
    body = fit(api.ChangedLevel, {"timeout_minutes": part(visit.form).text("timeout_minutes")})
    level = await api.update_level(ctx, visit.call(body, **_level(visit)))
    return _back(ctx, visit, f"Level {level.level_number} is changed.")


async def move_level(ctx: Context, visit: Visit) -> Response:
    """Let it change places with the one before or after it."""
    body = fit(Move, {"to": visit.form.text("to")})
    level = await move(ctx, visit.call(body, **_level(visit)))
    return _back(ctx, visit, f"Moved to level {level.level_number}.")


async def remove_level(ctx: Context, visit: Visit) -> Response:
    """Take it away with whom it reaches."""
    await api.delete_level(ctx, visit.call(None, **_level(visit)))
    return _back(ctx, visit, "Level removed.")


async def add_assignee(ctx: Context, visit: Visit) -> Response:
    """Let a level reach somebody else, too."""
    await api.create_assignee(ctx, visit.call(_assignee(part(visit.form)), **_level(visit)))
    return _back(ctx, visit, "Assignee added.")


async def remove_assignee(ctx: Context, visit: Visit) -> Response:
    """Let a level no longer reach somebody."""
    ids = {**_level(visit), "assignee_id": number(visit.form, "assignee")}
    await api.delete_assignee(ctx, visit.call(None, **ids))
    return _back(ctx, visit, "Assignee removed.")


def _assignee(form: Form) -> api.NewAssignee:
    """A person or a schedule, as the choice names it: `user:3`.

    Raises:
        Unprocessable: nothing is chosen.
    """
    kind, _, chosen = form.text("who").partition(":")
    if kind not in {"user", "schedule"}:
        raise Unprocessable([{"loc": ["body", "who"], "msg": "choose a person or a schedule", "type": "missing"}])
    return fit(api.NewAssignee, {"assignee_type": kind, f"{kind}_id": chosen})


def _level(visit: Visit) -> dict[str, int]:
    return {"policy_id": visit.ids["policy_id"], "level_id": number(visit.form, "about")}


def _back(ctx: Context, visit: Visit, said: str) -> Response:
    return redirect(ctx, f"{POLICIES}/{visit.ids['policy_id']}", said)


ACTIONS: Mapping[str, Action] = {
    "add_level": add_level,
    "change_level": change_level,
    "move_level": move_level,
    "remove_level": remove_level,
    "add_assignee": add_assignee,
    "remove_assignee": remove_assignee,
}
