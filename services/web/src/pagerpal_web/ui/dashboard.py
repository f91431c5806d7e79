"""Where somebody lands: what is open, and who has it."""

from starlette.responses import RedirectResponse, Response

from pagerpal_web.context import Context
from pagerpal_web.domain.origins import HOME
from pagerpal_web.ui.html import render
from pagerpal_web.ui.pages import Page, Visit


async def go_home(_ctx: Context, _visit: Visit) -> Response:
    """The address without a path."""
    return RedirectResponse(HOME, 303)


async def show_dashboard(ctx: Context, visit: Visit) -> Response:
    """The landing page."""
    return await render(ctx, visit.visitor, "dashboard.html")


PAGES: tuple[Page, ...] = (
    Page("GET", "/", go_home, None),
    Page("GET", HOME, show_dashboard),
)
