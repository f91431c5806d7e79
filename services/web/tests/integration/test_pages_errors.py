"""What a browser shows of an address that is not there, and what a program gets: a page, and JSON."""

from typing import Any

import pytest
from pagerpal_common.http import guard
from pagerpal_web.ui import dashboard

from .browser import Browser, browse
from .conftest import Web

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_an_unknown_address_is_a_page_with_the_menu_for_who_is_logged_in(web: Web) -> None:
    response = await (await browse(web, "viewer")).get("/nothing", **HTML)

    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; script-src 'self'" in response.headers["content-security-policy"]
    assert "<h1>Page not found</h1>" in response.text
    assert '<nav aria-label="Main">' in response.text


async def test_whoever_is_not_logged_in_finds_the_login_there(web: Web) -> None:
    response = await Browser(web).get("/nothing/<script>alert(1)</script>", **HTML)

    assert response.status_code == 404
    assert 'href="/login"' in response.text
    assert "<nav" not in response.text
    assert "alert(1)" not in response.text


async def test_a_wrong_method_is_a_page_that_says_which_ones_there_are(web: Web) -> None:
    response = await (await browse(web)).send("/dashboard", {}, **HTML)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    assert "Nothing was changed." in response.text
    assert '<nav aria-label="Main">' in response.text


async def test_what_somebody_may_not_see_is_a_page(web: Web) -> None:
    response = await (await browse(web, "viewer")).get("/settings/audit", **HTML)

    assert response.status_code == 403
    assert "<h1>You do not have permission</h1>" in response.text
    assert '<nav aria-label="Main">' in response.text


async def test_the_api_answers_in_json_whoever_asks(web: Web) -> None:
    browser = await browse(web)

    missing, wrong = (
        await browser.get("/api/v1/nothing", **HTML),
        await browser.send("/api/v1/system/jobs", {}, **HTML),
    )

    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
    assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})


@pytest.mark.parametrize("headers", [{}, {"accept": "*/*"}, {"accept": "application/json"}], ids=str)
async def test_a_program_that_asks_for_no_page_gets_none(web: Web, headers: dict[str, str]) -> None:
    response = await (await browse(web)).get("/nothing", **headers)

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


async def test_too_much_to_do_is_a_page_too_and_asks_no_database(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await browse(web)
    monkeypatch.setattr(guard, "UNDER_WAY_LIMIT", 0)

    response = await browser.get("/dashboard", **HTML)

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "too much to do just now" in response.text
    assert (await browser.get("/api/v1/incidents", **HTML)).json() == {
        "detail": "PagerPal has too much to do just now; try again"
    }


async def test_a_bug_is_a_page_with_the_number_it_is_logged_under(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = patient(await browse(web))

    async def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(dashboard, "_open", broken)

    response = await browser.get("/dashboard", **HTML, **{"x-request-id": "number-7"})

    assert response.status_code == 500
    assert "logged as request number-7" in response.text
    assert "<h1>Something went wrong</h1>" in response.text
    assert "secret detail" not in response.text


def patient(browser: Browser) -> Browser:
    """One whose bugs are answers, as they are on the wire."""
    browser.client._transport.raise_app_exceptions = False  # type: ignore[attr-defined]
    return browser
