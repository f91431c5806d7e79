"""A new alert source, and a new key: the one page where a key can be read.

It is the answer to the form, and nothing else: a redirect would have to carry the key in an address or a cookie.
"""

from pagerpal_common.errors import Refusal
from pagerpal_common.vocabulary import Role
from starlette.responses import Response

from pagerpal_web.api.sources import NewSource, create_source, regenerate_key
from pagerpal_web.context import Context
from pagerpal_web.storage.source_pages import list_teams
from pagerpal_web.storage.sources import RevealedSource
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import render, status_of
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.setup import other_ways, own_way
from pagerpal_web.ui.source_words import TYPES
from pagerpal_web.ui.sources import back_to_source, place_of


async def ask_for_source(ctx: Context, visit: Visit) -> Response:
    """The form for a new one."""
    return await _ask(ctx, visit, Form({}))


async def add_source(ctx: Context, visit: Visit) -> Response:
    """Make it, and show its key."""
    try:
        answer = await create_source(
            ctx, visit.call(fit(NewSource, visit.form.given("name", "source_type", "team_id")))
        )
    except Refusal as refused:
        return await _ask(ctx, visit, visit.form, refused)
    return await _reveal(ctx, visit, answer, is_new=True)


async def replace_key(ctx: Context, visit: Visit) -> Response:
    """Another key, which is shown; the one before it ends."""
    return await _reveal(ctx, visit, await regenerate_key(ctx, visit.call()), is_new=False)


async def _ask(ctx: Context, visit: Visit, typed: Form, refused: Refusal | None = None) -> Response:
    async with ctx.db.begin() as tx:
        teams = await list_teams(tx)
    return await render(
        ctx, visit.visitor, "new_source.html", status=status_of(refused), typed=typed,
        problems=problems(refused) if refused else {}, teams=teams, types=tuple(TYPES.items()),
    )  # fmt: skip


async def _reveal(ctx: Context, visit: Visit, answer: Response, *, is_new: bool) -> Response:
    source = RevealedSource.model_validate_json(bytes(answer.body))
    place = place_of(ctx, visit, source.api_key)
    return await render(
        ctx, visit.visitor, "source_key.html", status=answer.status_code, source=source, is_new=is_new,
        is_signed=bool((source.config or {}).get("hmac_secret")),
        own_way=own_way(source.source_type, place), other_ways=other_ways(source.source_type, place),
    )  # fmt: skip


PAGES: tuple[Page, ...] = (
    Page("GET", "/alert-sources/new", ask_for_source, Role.ADMIN),
    Page("POST", "/alert-sources/new", add_source, Role.ADMIN),
    Page("POST", "/alert-sources/{source_id:int}/key", replace_key, Role.ADMIN),
    Page("GET", "/alert-sources/{source_id:int}/key", back_to_source),
)
