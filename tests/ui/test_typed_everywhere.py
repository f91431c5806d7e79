"""Is what people type only ever text? Nasty strings through every field of every form on every page, in a browser.

Nothing of it is kept, it is too long: other stories live in this world, too. What is kept is looked at elsewhere: on
every page by `test_every_page_route.py` of web, in a browser by `test_people_and_policies.py`.
"""

import re

from playwright.sync_api import Page

from tests.ui.conftest import PHONE, Open
from tests.ui.every_page import PAGES
from tests.ui.nasty import NASTY, check_only_text
from tests.ui.world import World

PICKED = ("hidden", "checkbox", "radio", "number", "date", "time", "datetime-local")
NOT_TYPED = ", ".join(f"[type={kind}]" for kind in PICKED)
TYPED = f"input:not({NOT_TYPED}), textarea"
"""What one can type anything into: a browser lets no letter into a number or a date."""

LONG = " ".join(NASTY)
"""All of them: it fits nowhere, and so is shown where it was typed, with what is wrong with it."""

HOW_MANY = f"""() => [...document.querySelectorAll("main form[method=post]")]
    .filter((form) => form.querySelector("{TYPED}")).length"""

SUBMIT = f"""([number, text]) => {{
    const forms = [...document.querySelectorAll("main form[method=post]")]
        .filter((form) => form.querySelector("{TYPED}"));
    const form = forms[number];
    const button = form.querySelector("button:not([type=button])");
    for (const field of form.querySelectorAll("{TYPED}")) {{
        field.removeAttribute("maxlength");
        field.value = text;
    }}
    if (button.name) form.append(Object.assign(document.createElement("input"), {{
        type: "hidden", name: button.name, value: button.value,
    }}));
    if (button.hasAttribute("formaction")) form.action = button.formAction;
    HTMLFormElement.prototype.submit.call(form);
}}"""
"""As without scripts: every answer is a whole page."""


def submit(page: Page, number: int, text: str) -> int:
    """Type it into each field of a form, and send that; the status of the page that is shown then."""
    with page.expect_navigation() as shown:
        page.evaluate(SUBMIT, [number, text])
    assert shown.value is not None
    return shown.value.status


def test_whatever_is_typed_into_any_field_is_shown_as_text(open_page: Open, world: World) -> None:
    page = open_page("/dashboard", viewport=PHONE)
    sent: set[str] = set()

    for _, path in PAGES:
        page.goto(world.path(path))
        for number in range(page.evaluate(HOW_MANY)):
            page.goto(world.path(path))
            status = submit(page, number, LONG)
            assert status == 422, (path, number, status)
            check_only_text(page)
            sent.add(re.sub(r"\d+", "N", path.partition("?")[0]))

    assert len(sent) >= 12, sent
