"""Is text from outside only ever text? Every nasty string through every field that an alert or a note has."""

from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import PHONE, Open
from tests.ui.nasty import NASTY, check_only_text
from tests.ui.world import Operator, World


@pytest.fixture(scope="module")
def incidents(deployment: object, world: World) -> list[int]:
    """An incident per string, which stands in each of its fields, and in a note."""
    by = Operator(deployment)  # type: ignore[arg-type]
    try:
        return [_incident(by, world, text) for text in NASTY]
    finally:
        by.client.close()


def _incident(by: Operator, world: World, text: str) -> int:
    body = {
        "title": text,
        "description": f"{text}\n{text}",
        "external_id": text,
        "severity": "info",
        "labels": {text[:60]: text, "plain": text},
        "links": [{"href": "https://example.org/?" + text[:20].encode().hex(), "text": text}],
    }
    answer = httpx.post(
        f"{by.client.base_url}/api/v1/alerts", json=body, headers={"X-API-Key": world.source_key}, timeout=20
    )
    assert answer.is_success, answer.text
    number: int = answer.json()["id"]
    by.post(f"/api/v1/incidents/{number}/ack", user_id=world.user_id)
    by.post(f"/api/v1/incidents/{number}/notes", user_id=world.user_id, text=" ".join(text.split("\t")))
    return number


def test_nasty_strings_are_text_on_an_incidents_page(open_page: Open, incidents: list[int]) -> None:
    page = open_page("/dashboard", viewport=PHONE)

    for number, text in zip(incidents, NASTY, strict=True):
        page.goto(f"/incidents/{number}")
        check_only_text(page)
        if text.isascii() and text.isprintable():
            shown = " ".join(text.split())
            expect(page.get_by_role("heading", level=1)).to_have_text(shown)
            expect(page.locator(".note-text").first).to_have_text(shown)
            expect(page.locator("#facts dd code")).to_have_text(shown)


def test_nasty_strings_are_text_in_the_list_on_the_dashboard_and_in_a_search(
    open_page: Open, incidents: list[int]
) -> None:
    page = open_page("/incidents?severity=info&status=acknowledged", viewport=PHONE)
    check_only_text(page)
    page.goto("/incidents?severity=info&status=acknowledged&page=2")
    check_only_text(page)
    page.goto("/dashboard")
    check_only_text(page)

    for text in NASTY[:40]:
        page.goto(f"/incidents?q={quote(text)}")
        check_only_text(page)
        expect(page.get_by_label("Search")).to_have_value(" ".join(text.split()))
        expect(page.get_by_role("link", name=" ".join(text.split()), exact=True).first).to_be_visible()


def test_no_invisible_character_hides_or_reorders_anything(open_page: Open, incidents: list[int]) -> None:
    page = open_page(f"/incidents/{incidents[NASTY.index(next(text for text in NASTY if '202e' in ascii(text)))]}")

    shown = page.get_by_role("main").inner_text()

    assert not set("\u202e\u202c\u2067\u2069\u200f\u200b\u200d\ufeff") & set(shown)
