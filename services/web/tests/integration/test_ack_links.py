"""One tap acknowledges: looking at the link does not, the button does, and only as whom it was sent to."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pagerpal_common.ack_links import AckLink, ack_key, sign
from pagerpal_common.contracts.incidents import AcknowledgeIncident, IncidentChanged
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import BusUnavailable, Invalid
from pagerpal_common.testing.rows import Rows
from structlog.testing import capture_logs

from .conftest import ACCOUNTS, T0, Broker, Web, an_incident
from .test_incidents import insert_incident

KEY = ack_key(b"a planted secret key of 32 bytes and more")
ANA = ACCOUNTS["responder"]


class Incidents:
    """The service that the broker reaches: what it is asked to acknowledge is acknowledged in its table."""

    def __init__(self, rows: Rows) -> None:
        self.asked: list[AcknowledgeIncident] = []
        self._rows = rows

    async def request(self, message: Message, _reply: type[Message], *, wait: float) -> Message:
        assert isinstance(message, AcknowledgeIncident)
        assert wait <= 5
        self.asked.append(message)
        await self._rows(
            "UPDATE incidents.incidents SET status = 'acknowledged', acknowledged_by = :by, acknowledged_at = :at "
            "WHERE id = :id",
            by=message.acting_as_user_id,
            at=T0,
            id=message.incident_id,
        )
        return IncidentChanged(occurred_at=T0, incident=an_incident())


@pytest.fixture
def incidents(broker: Broker, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> Incidents:
    behind = Incidents(rows)
    monkeypatch.setattr(broker, "request", behind.request)
    return behind


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    """Without any account."""
    transport = httpx.ASGITransport(web.client._transport.app)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerpal") as client:
        yield client


def a_link(incident_id: int, user_id: int = ANA, *, escalation_id: int = 7, hours: float = 24) -> str:
    return f"/a/{sign(AckLink(incident_id, user_id, escalation_id, T0 + timedelta(hours=hours)), KEY)}"


async def test_looking_changes_nothing_and_the_button_acknowledges(
    browser: httpx.AsyncClient, incidents: Incidents, rows: Rows
) -> None:
    link = a_link(await insert_incident(rows, title="Disk <full> on db-1"))

    for look in (browser.get, browser.head, browser.options):
        await look(link)
    shown = await browser.get(link)

    assert shown.status_code == 200
    assert "Disk &lt;full&gt; on db-1" in shown.text
    assert "Acknowledge as responder" in shown.text
    assert "nobody has acknowledged it yet" in shown.text
    assert incidents.asked == []

    done = await browser.post(link)

    assert done.status_code == 200
    assert "Acknowledged by you, responder" in done.text
    assert "<form" not in done.text
    (asked,) = incidents.asked
    assert (asked.actor_user_id, asked.acting_as_user_id) == (ANA, ANA)

    assert "Acknowledged by you" in (await browser.post(link)).text
    assert "Acknowledged by you" in (await browser.get(link)).text
    assert len(incidents.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "http://pagerpal"},
        {"origin": "https://mail.example", "sec-fetch-site": "cross-site"},
    ],
)
async def test_the_button_works_whatever_the_browser_says_of_where_it_was_pressed(
    headers: dict[str, str], browser: httpx.AsyncClient, incidents: Incidents, rows: Rows
) -> None:
    link = a_link(await insert_incident(rows))

    given = {"content-type": "application/x-www-form-urlencoded", **headers}

    assert (await browser.post(link, headers=given)).status_code == 200
    assert len(incidents.asked) == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"status": "acknowledged", "acknowledged_by": 1}, "Already acknowledged by admin."),
        ({"status": "acknowledged"}, "Already acknowledged by the alert source."),
        ({"status": "resolved", "acknowledged_by": 1}, "Resolved. There is nothing to acknowledge."),
        ({"status": "resolved", "escalation_id": 8}, "Resolved. There is nothing to acknowledge."),
    ],
)
async def test_what_needs_nobody_any_more_is_said_plainly(
    fields: dict[str, Any], says: str, browser: httpx.AsyncClient, incidents: Incidents, rows: Rows
) -> None:
    link = a_link(await insert_incident(rows, **fields))

    for response in (await browser.get(link), await browser.post(link)):
        assert response.status_code == 200
        assert says in response.text
        assert "<form" not in response.text
    assert incidents.asked == []


async def test_who_is_faster_by_a_moment_is_named(
    browser: httpx.AsyncClient, broker: Broker, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident_id = await insert_incident(rows)

    async def resolved_meanwhile(*_: object, **__: object) -> Message:
        await rows("UPDATE incidents.incidents SET status = 'resolved'")
        raise Invalid("it is resolved")

    monkeypatch.setattr(broker, "request", resolved_meanwhile)

    response = await browser.post(a_link(incident_id))

    assert (response.status_code, "Resolved." in response.text) == (200, True)


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"hours": 0}, 410, "This link is too old"),
        ({"escalation_id": 6}, 410, "It has been reopened since"),
        ({"user_id": ACCOUNTS["viewer"]}, 403, "You cannot acknowledge"),
        ({"user_id": ACCOUNTS["deactivated"]}, 403, "You cannot acknowledge"),
        ({"user_id": 999}, 403, "You cannot acknowledge"),
        ({"incident_id": 999}, 404, "There is no such incident"),
    ],
)
async def test_a_link_that_does_not_hold_changes_nothing_and_leads_to_the_login(
    changes: dict[str, Any], status: int, says: str, browser: httpx.AsyncClient, incidents: Incidents, rows: Rows
) -> None:
    link = a_link(**{"incident_id": await insert_incident(rows), **changes})

    for response in (await browser.get(link), await browser.post(link)):
        assert response.status_code == status
        assert says in response.text
        assert 'href="/login"' in response.text
        assert "CPU" not in response.text
    assert incidents.asked == []


async def test_a_forged_link_is_404(browser: httpx.AsyncClient, incidents: Incidents, rows: Rows) -> None:
    good = a_link(await insert_incident(rows))
    other = AckLink(1, ANA, 7, T0 + timedelta(hours=24))
    forged = ["/a/x", "/a/%00", f"/a/{'A' * 40}", good[:-1], good + "A", f"/a/{sign(other, b'another key')}"]

    for link in forged:
        for response in (await browser.get(link), await browser.post(link)):
            assert (response.status_code, "This link does not work" in response.text) == (404, True), link
    assert (await browser.get("/a/")).status_code == (await browser.get(f"{good}/x")).status_code == 404
    assert incidents.asked == []


async def test_while_incidents_is_away_the_page_says_so_and_offers_to_try_again(
    browser: httpx.AsyncClient, broker: Broker, rows: Rows
) -> None:
    broker.answer = BusUnavailable("not confirmed")

    response = await browser.post(a_link(await insert_incident(rows)))

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "It may not be acknowledged yet." in response.text
    assert '<form method="post">' in response.text


async def test_pages_bring_no_script_are_kept_nowhere_and_tell_nobody_the_link(
    browser: httpx.AsyncClient, rows: Rows
) -> None:
    link = a_link(await insert_incident(rows))

    for response in (await browser.get(link), await browser.get("/a/x")):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in response.headers["x-robots-tag"]
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in response.text
        assert "://" not in response.text
        assert link.removeprefix("/a/") not in response.text


async def test_a_title_cannot_hide_or_reorder_what_is_shown(browser: httpx.AsyncClient, rows: Rows) -> None:
    link = a_link(await insert_incident(rows, title='\u202e"><script>x</script>\u200b\x07'))

    shown = (await browser.get(link)).text

    assert "<h1>&quot;&gt;&lt;script&gt;x&lt;/script&gt;</h1>" in shown


async def test_no_link_is_in_the_log(
    browser: httpx.AsyncClient, incidents: Incidents, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    link = a_link(await insert_incident(rows))
    caplog.set_level("INFO")

    with capture_logs() as captured:
        await browser.post(link)
        await browser.post(link[:-1])

    # Where it goes depends on whether the log has been configured in this process before.
    logged = str([*captured, *(record.msg for record in caplog.records if record.name.startswith("pagerpal"))])
    assert logged.count("'path': '/a/…'") == 2
    assert link.removeprefix("/a/")[:20] not in logged
