"""Alerts as they were sent: by the API, and on the page of their incident."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows

from .browser import Browser
from .conftest import T0, Web
from .test_incidents import INCIDENTS, insert_incident
from .test_pages_incidents import visitor

__all__ = ["visitor"]

XSS = '{"title": "</code></pre><script>alert(1)</script>", "b": "\u202egnp.exe"}'


async def keep(rows: Rows, incident_id: int, place: str, body: str | None, **changes: Any) -> None:
    """An alert as it was sent, as its owner would write it."""
    row = {
        "incident_id": incident_id,
        "place": place,
        "body": body,
        "content_type": "application/json",
        "is_cut": False,
    }
    row |= {"size": len((body or "").encode()), "received_at": T0} | changes
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    await rows(f"INSERT INTO incidents.raw_alerts ({columns}) VALUES ({values})", **row)


async def test_the_api_gives_the_first_and_the_newest_to_whoever_may_see_the_incident(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows)
    await keep(rows, number, "last", '{"value": 99}', received_at=T0 + timedelta(minutes=5), is_cut=True, size=120_000)
    await keep(rows, number, "first", None, content_type=None, size=0)

    answer = await web("GET", f"{INCIDENTS}/{number}/raw-alerts", who="viewer")

    assert answer.json() == [
        {
            "place": "first",
            "received_at": "2026-05-21T12:00:00Z",
            "content_type": None,
            "body": None,
            "size": 0,
            "is_cut": False,
        },
        {
            "place": "last",
            "received_at": "2026-05-21T12:05:00Z",
            "content_type": "application/json",
            "body": '{"value": 99}',
            "size": 120_000,
            "is_cut": True,
        },
    ]


async def test_of_an_incident_of_before_there_is_nothing_and_of_none_404(web: Web, rows: Rows) -> None:
    number = await insert_incident(rows)

    assert (await web("GET", f"{INCIDENTS}/{number}/raw-alerts")).json() == []
    assert (await web("GET", f"{INCIDENTS}/{number + 1}/raw-alerts")).status_code == 404


async def test_the_page_shows_both_laid_out_and_says_when_and_what_they_were(visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows, alert_count=7)
    await keep(rows, number, "first", '{"value":97,"more":[1]}')
    await keep(rows, number, "last", "value=99", content_type="application/x-form", is_cut=True, size=122_880)

    page = (await visitor.get(f"/incidents/{number}")).text

    assert "{\n  &#34;value&#34;: 97,\n  &#34;more&#34;: [\n    1\n  ]\n}" in page
    assert "value=99" in page
    assert "application/x-form" in page
    assert "Cut after 16 KiB of 120 KiB." in page
    assert "23 bytes" in page


async def test_an_sns_message_is_shown_with_the_alarm_in_it(visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows)
    await keep(rows, number, "first", json.dumps({"Type": "Notification", "Message": '{"AlarmName":"cpu"}'}))

    page = (await visitor.get(f"/incidents/{number}")).text

    assert "{\n  &#34;AlarmName&#34;: &#34;cpu&#34;\n}" in page


async def test_whatever_was_sent_is_text_on_the_page(visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows)
    await keep(rows, number, "first", XSS, content_type="<b>\u202etext")

    page = (await visitor.get(f"/incidents/{number}")).text

    assert "<script>alert(1)" not in page
    assert "<b>" not in page.split('id="raw"')[1]
    assert "\u202e" not in page
    assert "\\u202egnp.exe" in page


@pytest.mark.parametrize(
    ("body", "said"), [(None, "It could not be kept as it was sent."), ("  ", "It was empty.")], ids=["unkept", "empty"]
)
async def test_what_cannot_be_shown_says_so(body: str | None, said: str, visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows)
    await keep(rows, number, "first", body)

    assert said in (await visitor.get(f"/incidents/{number}")).text


async def test_an_incident_of_before_says_so(visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows)

    assert "before PagerPal kept alerts as they were sent" in (await visitor.get(f"/incidents/{number}")).text
