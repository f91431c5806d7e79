"""Logging in with a browser, out again, and the very first admin. What is done is the API's work."""

from pagerpal_common.errors import Conflict, Refusal
from starlette.responses import RedirectResponse, Response

from pagerpal_web.api.bootstrap import FirstAdmin, make_first_admin, needs_token
from pagerpal_web.api.login import LogIn, log_in, log_out
from pagerpal_web.context import Context
from pagerpal_web.domain.origins import safe_next
from pagerpal_web.storage.users import has_admin
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import render, status_of
from pagerpal_web.ui.pages import Page, Visit


async def show_login(ctx: Context, visit: Visit) -> Response:
    """The form to log in with; the one for the first admin, while there is none."""
    return await _show(ctx, visit, await _is_new(ctx))


async def enter(ctx: Context, visit: Visit) -> Response:
    """Log in. What was wrong is said in the form, which keeps all but the password."""
    try:
        body = fit(LogIn, {**visit.form.given("email", "next"), "password": _secret(visit.form, "password")})
        response = await log_in(ctx, visit.call(body))
    except Refusal as refused:
        return await _show(ctx, visit, is_new=False, refused=refused)
    if response.status_code != 303:
        return await _show(ctx, visit, is_new=False, status=401, wrong="The email address or the password is wrong.")
    return response


async def begin(ctx: Context, visit: Visit) -> Response:
    """Make the first admin, who is then logged in."""
    given = {**visit.form.given("email", "name", "setup_token"), "password": _secret(visit.form, "password")}
    try:
        return await make_first_admin(ctx, visit.call(fit(FirstAdmin, given)))
    except Conflict as refused:
        return await _show(ctx, visit, is_new=False, refused=refused)
    except Refusal as refused:
        return await _show(ctx, visit, is_new=True, refused=refused)


async def leave(ctx: Context, visit: Visit) -> Response:
    """Log out, and come to the login again."""
    return await log_out(ctx, visit.call())


async def ask_to_leave(ctx: Context, visit: Visit) -> Response:
    """A button to log out with: looking at a page ends nothing."""
    return await render(ctx, visit.visitor, "logout.html")


async def back_to_login(_ctx: Context, _visit: Visit) -> Response:
    """Where the form's own address is opened again."""
    return RedirectResponse("/login", 303)


async def _is_new(ctx: Context) -> bool:
    async with ctx.db.begin() as tx:
        return not await has_admin(tx)


async def _show(
    ctx: Context, visit: Visit, is_new: bool, *, refused: Refusal | None = None, status: int = 200, wrong: str = ""
) -> Response:
    found = problems(refused) if refused is not None else {"": wrong} if wrong else {}
    if refused is not None:
        status = status_of(refused)
    values = {
        "typed": visit.form,
        "problems": found,
        "next": safe_next(visit.form.text("next") or visit.query.get("next")),
        "needs_token": is_new and needs_token(ctx, visit.request),
    }
    return await render(ctx, visit.visitor, "first_admin.html" if is_new else "login.html", status=status, **values)


def _secret(form: Form, name: str) -> str:
    """As it was typed: blanks belong to a password."""
    return form.texts(name)[0] if form.texts(name) else ""


PAGES: tuple[Page, ...] = (
    Page("GET", "/login", show_login, None),
    Page("GET", "/login/enter", back_to_login, None),
    Page("POST", "/login/enter", enter, None),
    Page("GET", "/login/begin", back_to_login, None),
    Page("POST", "/login/begin", begin, None),
    Page("GET", "/logout", ask_to_leave),
    Page("POST", "/logout/leave", leave),
)
"""The forms post to addresses of their own: `POST /login` is the API's."""
