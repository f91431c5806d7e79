"""Teams: all of them at a glance, and one with who is in it and what hangs on it."""

from collections.abc import Mapping

from pagerpal_common.errors import PagerPalError
from pagerpal_common.vocabulary import Role
from starlette.responses import Response

from pagerpal_web.api import teams as api
from pagerpal_web.api.rows import Page as Stretch
from pagerpal_web.context import Context
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.team_cards import list_cards, parts_of
from pagerpal_web.ui.acting import Action, act, filled, number, part, render_acted
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Page, Visit

TEAMS = "/teams"


async def show_teams(ctx: Context, visit: Visit, refused: PagerPalError | None = None) -> Response:
    """Every team with who is on call in it."""
    async with ctx.db.begin() as tx:
        cards = await list_cards(tx, ctx.now())
    return await render_acted(ctx, visit, "teams.html", refused, {"teams": cards, "can_edit": visit.may(Role.ADMIN)})


async def act_on_teams(ctx: Context, visit: Visit) -> Response:
    """What the forms of the list ask for."""
    return await act(ctx, visit, {"create": _create}, show_teams)


async def show_team(ctx: Context, visit: Visit, refused: PagerPalError | None = None) -> Response:
    """A team whole."""
    team = await api.get_team(ctx, visit.call(None))
    members = await api.list_members(ctx, visit.call(Stretch(limit=1000, after=0)))
    async with ctx.db.begin() as tx:
        cards = await list_cards(tx, ctx.now(), team.id)
        parts = await parts_of(tx, team.id)
    card = cards[0] if cards else None
    values = {"team": team, "card": card, "members": members, "can_edit": visit.may(Role.ADMIN), **parts}
    return await render_acted(ctx, visit, "team.html", refused, values)


async def act_on_team(ctx: Context, visit: Visit) -> Response:
    """What the forms of a team's page ask for."""
    return await act(ctx, visit, ACTIONS, show_team)


async def _create(ctx: Context, visit: Visit) -> Response:
    team = await api.create_team(ctx, visit.call(filled(api.NewTeam, visit.form, "name", "description")))
    return redirect(ctx, f"{TEAMS}/{team.id}", f"Team {plain(team.name)} is created. Next: add people.")


async def _change(ctx: Context, visit: Visit) -> Response:
    form = part(visit.form)
    values = {"name": form.text("name"), **form.cleared("description")}
    team = await api.update_team(ctx, visit.call(fit(api.ChangedTeam, values)))
    return _back(ctx, team.id, "Saved.")


async def _add_member(ctx: Context, visit: Visit) -> Response:
    body = filled(api.NewMember, part(visit.form), "user_id")
    member = await api.add_member(ctx, visit.call(body))
    return _back(ctx, member.team_id, f"{plain(member.user.name)} is added to the team.")


async def _remove_member(ctx: Context, visit: Visit) -> Response:
    team_id, user_id = visit.ids["team_id"], number(visit.form, "about")
    await api.remove_member(ctx, visit.call(None, team_id=team_id, user_id=user_id))
    return _back(ctx, team_id, "Removed from the team.")


async def _delete(ctx: Context, visit: Visit) -> Response:
    await api.delete_team(ctx, visit.call(None))
    return redirect(ctx, TEAMS, "Team deleted.")


def _back(ctx: Context, team_id: int, said: str) -> Response:
    return redirect(ctx, f"{TEAMS}/{team_id}", said)


ACTIONS: Mapping[str, Action] = {
    "change": _change,
    "add_member": _add_member,
    "remove_member": _remove_member,
    "delete": _delete,
}

PAGES: tuple[Page, ...] = (
    Page("GET", TEAMS, show_teams),
    Page("POST", TEAMS, act_on_teams, Role.ADMIN),
    Page("GET", TEAMS + "/{team_id:int}", show_team),
    Page("POST", TEAMS + "/{team_id:int}", act_on_team, Role.ADMIN),
)
