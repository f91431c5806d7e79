"""The pages of incidents: without a browser, by what they answer and do."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentChanged,
    NoteOnIncident,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import NotificationsRetried, RetryNotifications
from pagerpal_common.errors import BusUnavailable, Conflict, Invalid, PagerPalError
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows

from .browser import Browser, browse
from .conftest import ACCOUNTS, T0, Broker, Web, an_incident
from .test_incidents import insert_incident

ME = ACCOUNTS["responder"]


@pytest.fixture
async def visitor(web: Web) -> Browser:
    return await browse(web, "responder")


def answers(
    broker: Broker, *given: Message | PagerPalError, by_incident: Mapping[int, Message | PagerPalError] | None = None
) -> None:
    """What the broker says to the next requests: in order, or to those about each incident."""
    left = list(given)

    async def request(message: Any, reply: type[Message], *, wait: float) -> Message:
        broker.asked.append((message, wait))
        answer = by_incident[message.incident_id] if by_incident else left.pop(0)
        if isinstance(answer, PagerPalError):
            raise answer
        assert isinstance(answer, reply)
        return answer

    broker.request = request  # type: ignore[method-assign]


def changed(**fields: Any) -> IncidentChanged:
    return IncidentChanged(occurred_at=T0, incident=an_incident(**fields))


async def test_the_list_shows_what_is_open_and_the_filters_are_in_the_address(visitor: Browser, rows: Rows) -> None:
    for number, (status, severity) in enumerate(
        [("triggered", "critical"), ("acknowledged", "warning"), ("resolved", "info")]
    ):
        await insert_incident(
            rows, status=status, severity=severity, title=f"It is {status}", source_id=number + 1,
            acknowledged_by=1, acknowledged_at=T0, resolved_at=T0,
        )  # fmt: skip

    usual = (await visitor.get("/incidents")).text
    everything = (await visitor.get("/incidents?status=all")).text
    resolved = (await visitor.get("/incidents?status=resolved&severity=info")).text
    of_source = (await visitor.get("/incidents?source_id=2")).text

    def shown(html: str) -> list[str]:
        return [status for status in ("triggered", "acknowledged", "resolved") if f"It is {status}" in html]

    assert shown(usual) == ["triggered", "acknowledged"]
    assert shown(everything) == ["triggered", "acknowledged", "resolved"]
    assert shown(resolved) == ["resolved"]
    assert shown(of_source) == ["acknowledged"]

    wrong = await visitor.get("/incidents?status=<b>bogus&severity=info&team_id=x")
    assert wrong.status_code == 422
    assert "There is no status “&lt;b&gt;bogus”. Choose open, triggered, acknowledged, resolved or all." in wrong.text
    assert "There is no team with the id “x”. The other filters are kept." in wrong.text
    assert '<option value="info" selected>' in wrong.text
    assert 'href="/incidents?status=resolved&amp;severity=info"' in wrong.text
    assert (await visitor.get("/incidents?utm_source=mail")).status_code == 200


async def test_a_search_finds_numbers_ids_of_the_source_and_words_of_titles(
    web: Web, visitor: Browser, rows: Rows
) -> None:
    team = await web.a_team()
    source = await web.made("alert-sources", team_id=team["id"], name="Prod", source_type="generic")
    disk = await insert_incident(rows, title="Disk full on db-1", external_id="a/b c", source_id=source["id"])
    old = await insert_incident(
        rows, title="100% CPU_load", external_id="x", source_id=source["id"], status="resolved", resolved_at=T0
    )

    async def found(query: str) -> list[int]:
        response = await visitor.get(f"/incidents?q={query}")
        assert response.status_code == 200
        return [int(number) for number in re.findall(r'<tr id="incident-(\d+)"', response.text)]

    assert await found(f"%23{old}") == [old]
    assert await found(f"{disk}") == [old, disk]
    assert await found("a%2Fb+c") == [disk]
    assert await found("DB-1+disk") == [disk]
    assert await found("100%25") == [old]
    assert await found("%25") == [old]
    assert await found("U_L") == [old]
    assert await found("%5C") == []
    assert await found("a%00b+%E2%80%AE") == []
    assert await found("9" * 19) == []
    assert await found("disk&status=resolved") == []
    assert (await visitor.get("/incidents?q=" + "x" * 201)).status_code == 422


async def test_several_are_acknowledged_at_once_and_it_is_said_who_was_faster(
    visitor: Browser, rows: Rows, broker: Broker
) -> None:
    one = await insert_incident(rows, external_id="1")
    two = await insert_incident(rows, external_id="2")
    over = await insert_incident(rows, external_id="3", status="resolved", resolved_at=T0, resolved_by=1)
    given: dict[int, Message | PagerPalError] = {
        one: changed(id=one, status="acknowledged", acknowledged_by=ME, acknowledged_at=T0),
        two: changed(id=two, status="acknowledged", acknowledged_by=ACCOUNTS["admin"], acknowledged_at=T0),
        over: Invalid("an incident that is resolved does not allow to acknowledge"),
    }
    answers(broker, by_incident=given)

    fields = {"incident": [str(one), str(two), str(over), "999", "x"], "do": "ack", "filters": "severity=critical"}
    response = await visitor.post("/incidents/together", fields)
    page = (await visitor.get(response.headers["location"])).text

    assert response.headers["location"] == "/incidents?severity=critical"
    assert "1 incident acknowledged. " in page
    assert f"2 no longer needed it: #{two} acknowledged by admin, #{over} resolved by admin." in page
    assert "1 refused: #999 is not there." in page
    asked = {message.incident_id for message, _ in broker.asked if isinstance(message, AcknowledgeIncident)}
    assert asked == {one, two, over}


async def test_nothing_that_was_ticked_is_lost_while_nobody_answers(
    visitor: Browser, rows: Rows, broker: Broker
) -> None:
    numbers = [await insert_incident(rows, external_id=str(number)) for number in range(20)]
    broker.answer = BusUnavailable("away")

    fields = {"incident": [str(number) for number in numbers], "do": "resolve", "filters": "q=cpu"}
    response = await visitor.post("/incidents/together", fields)

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "20 incidents not resolved" in response.text
    assert len(re.findall(r'name="incident" value="\d+" checked', response.text)) == 20
    assert 'name="q" type="search" value="cpu"' in response.text
    assert len(broker.asked) == 8


async def test_nothing_ticked_or_nothing_to_do_changes_nothing(visitor: Browser, broker: Broker) -> None:
    page = await visitor.done("/incidents/together", {"do": "ack"})
    assert "No incident was ticked." in page
    assert (await visitor.post("/incidents/together", {"do": "delete", "incident": "1"})).status_code == 400
    assert broker.asked == []


@pytest.mark.parametrize(
    ("path", "command", "state", "said"),
    [
        ("ack", AcknowledgeIncident, {"status": "acknowledged", "acknowledged_by": 3}, "Acknowledged by viewer."),
        ("resolve", ResolveIncident, {"status": "resolved", "resolved_by": 3}, "Resolved by viewer."),
        ("reopen", ReopenIncident, {"escalation_id": 8}, "Reopened: its escalation begins again"),
        ("escalate", RequestEscalation, {"current_escalation_level": 2}, "Escalated to level 2."),
        ("notes", NoteOnIncident, {}, "Your note is on the timeline."),
    ],
)
async def test_a_button_does_what_the_api_does_in_the_name_that_is_chosen(
    path: str, command: type[Any], state: dict[str, Any], said: str, visitor: Browser, rows: Rows, broker: Broker
) -> None:
    number = await insert_incident(rows)
    answers(broker, changed(id=number, **state))

    fields = {"user_id": str(ACCOUNTS["viewer"]), "expected_level": "0", "text": "Looking."}
    page = await visitor.done(f"/incidents/{number}/{path}", fields)

    assert said in page
    message: Any = broker.asked[0][0]
    assert isinstance(message, command)
    assert (message.incident_id, message.actor_user_id, message.acting_as_user_id) == (number, ME, ACCOUNTS["viewer"])


async def test_whoever_is_second_is_told_who_was_first(
    visitor: Browser, rows: Rows, broker: Broker, clock: Clock
) -> None:
    number = await insert_incident(rows)
    first = {"id": number, "status": "acknowledged", "acknowledged_by": ACCOUNTS["admin"], "acknowledged_at": T0}
    answers(broker, changed(**first))
    clock.advance(seconds=4)

    page = await visitor.done(f"/incidents/{number}/ack", {})

    assert "Admin acknowledged it 4 s before you. Nobody else is paged." in page


async def test_what_is_refused_is_said_on_the_page_with_its_reason(
    visitor: Browser, rows: Rows, broker: Broker, clock: Clock
) -> None:
    number = await insert_incident(rows, status="resolved", resolved_at=T0)
    clock.advance(seconds=9)
    answers(broker, Invalid("an incident that is resolved does not allow to acknowledge"))
    acknowledged = await visitor.post(f"/incidents/{number}/ack", {})
    answers(broker, Conflict("the incident has moved on: it is at level 2"))
    escalated = await visitor.post(f"/incidents/{number}/escalate", {"expected_level": "1"})
    stranger = await visitor.post(f"/incidents/{number}/ack", {"user_id": "999"})
    empty = await visitor.post(f"/incidents/{number}/notes", {"text": " "})

    assert acknowledged.status_code == 400
    assert "Its alert source resolved it 9 s before you." in acknowledged.text
    assert escalated.status_code == 409
    assert "The incident has moved on: it is at level 2." in escalated.text
    assert (stranger.status_code, "There is no user 999." in stranger.text) == (400, True)
    assert (empty.status_code, 'id="text-wrong"' in empty.text) == (422, True)
    assert (await visitor.post("/incidents/999/ack", {})).status_code == 404


async def test_without_a_broker_pages_say_so_and_keep_what_was_typed(
    visitor: Browser, rows: Rows, broker: Broker
) -> None:
    number = await insert_incident(rows)
    broker.is_away = True
    broker.answer = BusUnavailable("away")

    for path in ("/dashboard", "/incidents", f"/incidents/{number}", f"/incidents/{number}/explain"):
        page = await visitor.get(path)
        assert (page.status_code, "Actions are delayed." in page.text) == (200, True), path
    fields = {"text": "A long story </textarea>", "user_id": str(ACCOUNTS["admin"])}
    refused = await visitor.post(f"/incidents/{number}/notes", fields)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "A long story &lt;/textarea&gt;</textarea>" in refused.text
    assert f'<option value="{ACCOUNTS["admin"]}" selected>' in refused.text
    assert "Nothing was changed" in refused.text


async def test_failed_notifications_are_tried_again(visitor: Browser, rows: Rows, broker: Broker) -> None:
    number = await insert_incident(rows)
    await rows(
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,"
        " pass_number, level, reason, status, address, attempts, error, created_at) VALUES (1, :number, 7, 2, 'sms',"
        " 0, 1, 1, '[\"level 1\"]', 'failed', '+491701234567', 1, 'Infobip: no such number', :at)",
        number=number,
        at=T0,
    )
    broker.answer = NotificationsRetried(occurred_at=T0, retried_count=1, queued_count=1)

    before = (await visitor.get(f"/incidents/{number}")).text
    page = await visitor.done(f"/incidents/{number}/retry", {})

    assert "Retry failed notifications" in before
    assert "+49…4567" in before
    assert "+491701234567" not in before
    assert "1 of 1 failed notifications will be tried again." in page
    assert isinstance(broker.asked[0][0], RetryNotifications)


async def test_the_page_says_what_happens_next_and_when(web: Web, visitor: Browser, rows: Rows) -> None:
    user = await web.a_user(name="Cy Castro", phone="+491701234567")
    number = await insert_incident(rows, current_escalation_level=1)
    policy = (
        '{"policy_id": 1, "name": "P", "repeat_count": 0, "reminder": "PT30M", "ack_timeout": null, "levels": ['
        '{"number": 1, "timeout": "PT5M", "assignees": [{"user_id": 1}]},'
        f'{{"number": 2, "timeout": "PT5M", "assignees": [{{"user_id": {user["id"]}}}]}}]}}'
    )
    await rows(
        "INSERT INTO escalation.escalations (escalation_id, incident_id, team_id, policy, state, pass_number, level,"
        " reminder, due_at, started_at) VALUES (7, :number, 1, CAST(:policy AS jsonb), 'waiting', 1, 1, 0,"
        " CAST(:at AS timestamptz) + interval '312 s', :at)",
        number=number,
        policy=policy,
        at=T0,
    )
    await rows(
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,"
        " pass_number, level, reason, status, attempts, due_at, created_at) VALUES (1, :number, 7, 2, 'voice',"
        " 0, 1, 1, '[]', 'queued', 0, CAST(:at AS timestamptz) + interval '252 s', :at)",
        number=number,
        at=T0,
    )

    page = " ".join((await visitor.get(f"/incidents/{number}")).text.split())

    call = page.index("Call to responder")
    level = page.index("Level 2 pages Cy Castro")
    assert call < level
    assert ">4:12</b>" in page
    assert ">5:12</b>" in page
    assert "unless somebody acknowledges" in page


async def test_a_viewer_sees_no_button_and_may_press_none(web: Web, rows: Rows, broker: Broker) -> None:
    viewer = await browse(web, "viewer")
    number = await insert_incident(rows)

    pages = [(await viewer.get(path)).text for path in ("/incidents", f"/incidents/{number}")]
    refused = [
        (await viewer.post(f"/incidents/{number}/{action}", {})).status_code
        for action in ("ack", "resolve", "reopen", "escalate", "notes", "retry")
    ]
    refused.append((await viewer.post("/incidents/together", {"do": "ack"})).status_code)

    assert not any("formaction" in page or 'name="do"' in page or "checkbox" in page for page in pages)
    assert refused == [403] * 7
    assert broker.asked == []


@pytest.mark.parametrize("path", ["/dashboard/live", "/dashboard/watched"])
async def test_a_part_of_the_dashboard_is_a_part_whoever_asks(path: str, visitor: Browser) -> None:
    part = await visitor.get(path)

    assert part.status_code == 200
    assert "<html" not in part.text


@pytest.mark.parametrize("path", ["/incidents/rows?severity=info", "/incidents/{id}/live"])
async def test_a_part_is_a_part_for_htmx_and_leads_to_its_page_otherwise(
    path: str, visitor: Browser, rows: Rows
) -> None:
    path = path.format(id=await insert_incident(rows, severity="info"))

    part = await visitor.get(path, **{"hx-request": "true"})
    whole = await visitor.get(path)

    assert part.status_code == 200
    assert "<html" not in part.text
    assert (whole.status_code, (await visitor.get(whole.headers["location"])).status_code) == (303, 200)


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", "HTTPS://ok.example"])
async def test_only_links_to_the_web_can_be_followed(href: str, visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows, links=[{"href": href, "text": "Runbook"}])
    page = (await visitor.get(f"/incidents/{number}")).text
    assert f'href="{href}"' not in page
    assert f"Runbook: {href}" in page


async def test_nobody_acts_as_somebody_who_can_do_nothing(visitor: Browser, rows: Rows) -> None:
    number = await insert_incident(rows)

    page = (await visitor.get(f"/incidents/{number}")).text

    offered = re.findall(r'<option value="(\d+)"', page)
    assert str(ACCOUNTS["admin"]) in offered
    assert str(ACCOUNTS["viewer"]) not in offered
