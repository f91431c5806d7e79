"""How does a page with several forms act? Each names in `do` what it asks for; what is refused is shown on that page.

The fields of a form that is not alone on its page begin with the form's name: `member-user_id`. So no two of a page
have the same name, what was typed stays where it was typed, and what is wrong is said there.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pagerpal_common.errors import Invalid, PagerPalError, Refusal
from pagerpal_common.http import LARGEST_ID, Body
from starlette.responses import Response

from pagerpal_web.context import Context
from pagerpal_web.ui.forms import Form, fit, problems
from pagerpal_web.ui.html import render, status_of
from pagerpal_web.ui.pages import Visit

Action = Callable[[Context, Visit], Awaitable[Response]]
Show = Callable[[Context, Visit, PagerPalError | None], Awaitable[Response]]

BROKEN = "This form is not one of this page's. Load the page again, and then send it again."

UNCERTAIN = "PagerPal cannot say whether this was done. Wait a minute, look again, and only then try once more."
"""Of our own trouble, where that is shown on the page itself."""

B = TypeVar("B", bound=Body)


async def act(ctx: Context, visit: Visit, actions: Mapping[str, Action], show: Show) -> Response:
    """Do what the form asks for; when that is refused, show the page with what was typed, and why.

    Raises:
        Invalid: the page has no such form.
    """
    action = actions.get(visit.form.text("do"))
    if action is None:
        raise Invalid(BROKEN)
    try:
        return await action(ctx, visit)
    except Refusal as refused:
        return await show(ctx, visit, refused)


async def render_acted(
    ctx: Context, visit: Visit, template: str, refused: PagerPalError | None, values: Mapping[str, Any]
) -> Response:
    """The page, with what has become of one of its forms where that could not be done."""
    found = {} if refused is None else beside_fields(visit.form, refused)
    return await render(
        ctx, visit.visitor, template, status=status_of(refused), typed=visit.form, problems=found, **values
    )


def beside_fields(form: Form, refused: PagerPalError) -> dict[str, str]:
    """What is wrong, by the fields of the form that was sent; what has no field there stands under the empty name."""
    if not isinstance(refused, Refusal):
        return {"": UNCERTAIN}
    prefix, found = _prefix(form), dict[str, str]()
    for name, text in problems(refused).items():
        field = f"{prefix}{name}"
        known = name and field in form.fields
        found.setdefault(field if known else "", text)
    return found


def part(form: Form) -> Form:
    """The fields of the form that was sent, under their own names."""
    prefix = _prefix(form)
    return Form({name.removeprefix(prefix): texts for name, texts in form.fields.items() if name.startswith(prefix)})


def number(form: Form, name: str) -> int:
    """An id that the page itself has put into its form.

    Raises:
        Invalid: there is none.
    """
    text = form.text(name)
    if not (text.isascii() and text.isdigit() and len(text) < len(str(LARGEST_ID))):
        raise Invalid(BROKEN)
    return int(text)


def secret(form: Form, name: str) -> str:
    """As it was typed: blanks belong to a password."""
    return form.texts(name)[0] if form.texts(name) else ""


def filled(model: type[B], form: Form, *names: str, **more: object) -> B:
    """A body of the API of these fields, as far as something stands in them, and of what else it needs.

    Raises:
        Unprocessable: it does not fit.
    """
    return fit(model, {**form.given(*names), **more})


def _prefix(form: Form) -> str:
    name = form.text("form")
    return f"{name}-" if name else ""
