"""Is every page readable: in light and dark, on a desk, a tablet and a telephone, and by whoever cannot see it?"""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, ViewportSize

from tests.ui.conftest import DESK, PHONE, TABLET, Open, picture
from tests.ui.every_page import PAGES
from tests.ui.world import World

LOOKS: dict[str, tuple[ViewportSize, Literal["light", "dark"]]] = {
    "desk-light": (DESK, "light"),
    "desk-dark": (DESK, "dark"),
    "tablet-light": (TABLET, "light"),
    "phone-light": (PHONE, "light"),
    "phone-dark": (PHONE, "dark"),
}


def check(page: Page, name: str) -> None:
    """Kept as a picture; nobody is shut out; nothing sticks out at the side."""
    picture(page, name)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{widths[0]} px of page on {widths[1]} px of screen"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("name", "path"), PAGES, ids=[name for name, _ in PAGES])
def test_a_page_is_readable(open_page: Open, world: World, name: str, path: str, look: str) -> None:
    viewport, scheme = LOOKS[look]

    page = open_page(world.path(path), viewport=viewport, scheme=scheme)

    check(page, f"{name}-{look}")


@pytest.mark.parametrize("look", LOOKS)
def test_so_is_the_login(open_page: Open, look: str) -> None:
    viewport, scheme = LOOKS[look]

    page = open_page("/login", who=None, viewport=viewport, scheme=scheme)

    check(page, f"login-{look}")


@pytest.mark.parametrize("look", LOOKS)
def test_so_is_a_refusal(open_page: Open, look: str) -> None:
    viewport, scheme = LOOKS[look]

    page = open_page("/incidents/999999999", viewport=viewport, scheme=scheme)

    check(page, f"refusal-{look}")
