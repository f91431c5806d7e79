"""One's own profile as a page: who one is, how one is paged, one's password and sessions."""

from typing import Any

import httpx
import pytest
from pagerpal_common.contracts.notifications import CheckOutcome, ContactChecked
from pagerpal_common.errors import NoReply
from pagerpal_common.http import application
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.service import build

from .browser import Browser, browse, text_of
from .conftest import ACCOUNTS, PASSWORD, T0, Broker, Web, settings
from .test_contact_methods import deliver

PROFILE = "/profile"
NUMBER = "+491701234567"
ME = f"/api/v1/users/{ACCOUNTS['viewer']}"
SMS: dict[str, Any] = {"do": "add_method", "form": "method", "method__channel": "sms", "method__address": NUMBER}
NEW = "a horse, a staple and a battery"


@pytest.fixture
async def viewer(web: Web) -> Browser:
    """The least of the roles is enough for one's own."""
    return await browse(web, "viewer")


def told(outcome: CheckOutcome, detail: str = "so it said") -> ContactChecked:
    """The provider's word on a code or a test page."""
    return ContactChecked(occurred_at=T0, outcome=outcome, detail=detail)


async def test_one_changes_ones_own_name_phone_and_zone(web: Web, viewer: Browser) -> None:
    assert "You get no SMS and no call." in text_of(await viewer.get(PROFILE))
    given = {"you__name": "Vera", "you__phone": "+49 170 1234567", "you__timezone": "Europe/Berlin"}

    shown = await viewer.done(PROFILE, do="change", form="you", **given)

    assert "You get no SMS and no call." not in shown
    assert "Phone rings" in shown
    assert "for every severity (info, too)" in shown
    assert "at once SMS after 2 min Call" in shown
    user = (await web("GET", ME)).json()
    assert (user["name"], user["phone"], user["timezone"], user["role"]) == ("Vera", NUMBER, "Europe/Berlin", "viewer")
    await viewer.done(PROFILE, do="change", form="you", **{**given, "you__phone": ""})
    assert (await web("GET", ME)).json()["phone"] is None


async def test_what_is_wrong_is_said_where_it_was_typed(viewer: Browser) -> None:
    given = {"you__name": "Vera", "you__phone": "112", "you__timezone": "Atlantis"}

    response = await viewer.post(PROFILE, do="change", form="you", **given)

    shown = text_of(response)
    assert response.status_code == 422
    for said in ("[Vera]", "[112]", "[Atlantis]", "This is no phone number in E.164", "This is no IANA time zone"):
        assert said in shown


async def test_nobody_makes_themselves_more_by_the_form_of_their_profile(web: Web, viewer: Browser) -> None:
    given = {"you__name": "Vera", "you__timezone": "UTC", "you__role": "admin", "you__email": "admin2@example.org"}
    await viewer.done(PROFILE, do="change", form="you", **given)
    user = (await web("GET", ME)).json()
    assert (user["role"], user["email"]) == ("viewer", "viewer@example.org")


async def test_a_way_is_added_proven_by_its_code_and_used_by_a_rule(
    web: Web, viewer: Browser, broker: Broker, rows: Rows
) -> None:
    shown = await viewer.done(PROFILE, **SMS, method__label="My other phone")
    assert f"SMS {NUMBER} My other phone Not verified" in shown

    broker.answer = told(CheckOutcome.SENT)
    shown = await viewer.done(PROFILE, do="send_code", about=1001)
    assert "A code is on its way by SMS." in shown
    assert "Code From the message we sent." in shown
    await deliver(broker, rows, "012345")

    proving = {"do": "prove", "form": "way-1001", "about": 1001}
    wrong = await viewer.post(PROFILE, **proving, **{"way-1001-code": "543210"})
    assert (wrong.status_code, "This is not the code that was sent." in text_of(wrong)) == (400, True)
    assert "[543210]" in text_of(wrong)
    unlike = await viewer.post(PROFILE, **proving, **{"way-1001-code": "12x"})
    assert (unlike.status_code, "[12x]" in text_of(unlike)) == (422, True)
    shown = await viewer.done(PROFILE, **proving, **{"way-1001-code": "012 345"})
    assert f"SMS {NUMBER} My other phone Verified" in shown

    rule = {"rule__severity": "critical", "rule__contact_method_id": 1001, "rule__delay_seconds": 60}
    shown = await viewer.done(PROFILE, do="add_rule", form="rule", **rule)
    assert "Critical after 1 min SMS My other phone" in shown
    used = await viewer.post(PROFILE, do="remove_method", about=1001)
    assert (used.status_code, "still used by notification rule 1" in text_of(used)) == (409, True)
    assert "Rule removed." in await viewer.done(PROFILE, do="remove_rule", about=1)
    await viewer.done(PROFILE, do="remove_method", about=1001)
    assert [one["channel"] for one in (await web("GET", f"{ME}/contact-methods")).json()] == ["email"]


async def a_verified_number(rows: Rows, broker: Broker, viewer: Browser) -> str:
    """The page after the number has been verified."""
    await viewer.done(PROFILE, **SMS)
    broker.answer = told(CheckOutcome.SENT)
    await viewer.done(PROFILE, do="send_code", about=1001)
    await deliver(broker, rows, "012345")
    return await viewer.done(PROFILE, do="prove", form="way-1001", about=1001, **{"way-1001-code": "012345"})


async def rules_of(web: Web) -> list[tuple[str, str | int, int]]:
    """Severity, way and delay of each."""
    rules = (await web("GET", f"{ME}/notification-rules")).json()
    return [(one["severity"], one["channel"] or one["contact_method_id"], one["delay_seconds"]) for one in rules]


async def test_a_verified_way_gets_its_rules_in_one_click_and_what_was_sent_is_sent_still(
    web: Web, viewer: Browser, broker: Broker, rows: Rows
) -> None:
    verified = await a_verified_number(rows, broker, viewer)
    assert "No rule uses it yet" in verified
    assert "You have a verified contact method that no rule uses" in verified

    shown = await viewer.done(PROFILE, do="use_method", about=1001)

    assert await rules_of(web) == [("any", "email", 0), ("any", 1001, 0)]
    assert "SMS only" in shown
    assert "Phone rings" not in shown
    assert "No rule uses it yet" not in shown
    assert "You get no SMS and no call." not in shown


async def test_a_phone_that_rings_goes_on_ringing_when_another_way_is_used(
    web: Web, viewer: Browser, broker: Broker, rows: Rows
) -> None:
    await rows("UPDATE directory.users SET phone = '+491709999999' WHERE name = 'viewer'")
    await web("POST", f"{ME}/notification-rules", {"severity": "info", "channel": "email", "delay_seconds": 0})
    await a_verified_number(rows, broker, viewer)

    shown = await viewer.done(PROFILE, do="use_method", about=1001)

    assert await rules_of(web) == [
        ("info", "email", 0),
        ("critical", "sms", 0), ("critical", "voice", 120), ("warning", "sms", 0), ("warning", "voice", 120),
        ("any", 1001, 0),
    ]  # fmt: skip
    assert "Phone rings" in shown


async def test_no_rule_is_made_for_a_way_that_is_not_verified(web: Web, viewer: Browser) -> None:
    await viewer.done(PROFILE, **SMS)

    refused = await viewer.post(PROFILE, do="use_method", about=1001)

    assert refused.status_code == 400
    assert await rules_of(web) == []


async def test_an_address_that_is_none_is_said_beside_it_and_stays(viewer: Browser) -> None:
    response = await viewer.post(PROFILE, **{**SMS, "method__address": "no number"})
    assert (response.status_code, "[no number]" in text_of(response)) == (422, True)
    assert "This is no phone number in E.164" in text_of(response)
    await viewer.done(PROFILE, **SMS)
    again = await viewer.post(PROFILE, **SMS)
    assert (again.status_code, "of this channel and address already" in text_of(again)) == (409, True)


async def test_messengers_are_offered_where_they_are_switched_on_and_not_elsewhere(
    web: Web, database_url: str, broker: Broker, clock: Clock
) -> None:
    on = {"PAGERPAL_LONG_TAIL": "telegram,ntfy", "PAGERPAL_LONG_TAIL_HOSTS": "ntfy.example.org"}
    service = build(settings(database_url, **on), broker, clock)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(application([service], broker))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerpal") as client:
        viewer = await browse(Web(client), "viewer")
        page = await viewer.get(PROFILE)
        given = {"method__channel": "apprise", "method__address": "ntfys://ntfy.example.org/canary"}
        wrong = await viewer.post(PROFILE, **{**SMS, **given, "method__address": "ntfys://ntfy.example.net/canary"})
        await viewer.done(PROFILE, **{**SMS, **given})
        mine = await viewer.get(PROFILE)
    await service.close()

    assert "Messenger, by its Apprise URL" in page.text
    for example in ("tgram://bot-token/chat-id", "ntfys://access-token@host/topic"):
        assert example in page.text
    assert "Discord" not in page.text
    assert (wrong.status_code, "PAGERPAL_LONG_TAIL_HOSTS" in text_of(wrong)) == (422, True)
    assert "ntfys://ntfy.example.org/canary" in mine.text
    elsewhere = await (await browse(web, "viewer")).get(PROFILE)
    assert "Apprise" not in elsewhere.text


async def test_the_key_of_a_webhook_is_shown_this_once(viewer: Browser) -> None:
    given = {"method__channel": "webhook", "method__address": "https://example.org/hook"}

    made = await viewer.post(PROFILE, do="add_method", form="method", **given)

    assert made.status_code == 200
    assert "whsec_" in made.text
    assert "whsec_" not in (await viewer.get(PROFILE)).text


async def test_a_rule_that_leads_nowhere_is_refused(viewer: Browser) -> None:
    await viewer.done(PROFILE, **SMS)
    rule = {"rule__severity": "critical", "rule__contact_method_id": 1001, "rule__delay_seconds": 0}
    response = await viewer.post(PROFILE, do="add_rule", form="rule", **rule)
    assert (response.status_code, "Contact method 1001 is not verified." in text_of(response)) == (400, True)


async def test_a_test_page_to_oneself_says_what_became_of_it(viewer: Browser, broker: Broker) -> None:
    testing = {"do": "send_test", "about": 3}

    broker.answer = told(CheckOutcome.SENT)
    assert "A test page is on its way by mail." in await viewer.done(PROFILE, **testing)

    broker.answer = told(CheckOutcome.REFUSED, "mail is not set up")
    refused = await viewer.post(PROFILE, **testing)
    assert (refused.status_code, "This cannot be sent: mail is not set up." in text_of(refused)) == (409, True)

    broker.answer = NoReply("no reply in time")
    unsure = await viewer.post(PROFILE, **testing)
    assert (unsure.status_code, "cannot say whether this was done" in text_of(unsure)) == (503, True)

    enough = await viewer.post(PROFILE, **testing)
    assert (enough.status_code, "Enough has been sent to check this" in text_of(enough)) == (429, True)


async def test_nobody_tests_or_removes_what_is_somebody_elses(web: Web, viewer: Browser) -> None:
    admins = f"users/{ACCOUNTS['admin']}/contact-methods"
    theirs = await web.made(admins, channel="sms", address=NUMBER)
    for do in ("send_code", "send_test", "remove_method"):
        assert (await viewer.post(PROFILE, do=do, about=theirs["id"])).status_code == 404
    assert len((await web("GET", f"/api/v1/{admins}")).json()) == 2


async def test_a_new_password_keeps_this_session_and_ends_the_others(web: Web, viewer: Browser) -> None:
    other = await browse(web, "viewer")
    fields = {"password__current_password": PASSWORD, "password__new_password": NEW}

    wrong = await viewer.post(
        PROFILE, do="change_password", form="password", **{**fields, "password__current_password": "something else"}
    )
    assert (wrong.status_code, "The current password is another one." in text_of(wrong)) == (400, True)
    short = await viewer.post(
        PROFILE, do="change_password", form="password", **{**fields, "password__new_password": "password1234"}
    )
    assert short.status_code == 422
    assert ("password1234" in short.text, PASSWORD in short.text) == (False, False)

    assert "Password changed." in await viewer.done(PROFILE, do="change_password", form="password", **fields)
    assert (await other.get(PROFILE)).status_code == 303
    assert (await browse(web, "viewer", NEW)).client.cookies


async def test_sessions_are_listed_and_ended(web: Web, viewer: Browser) -> None:
    phone, desk = await browse(web, "viewer"), await browse(web, "viewer")
    theirs = await browse(web, "responder")
    shown = text_of(await viewer.get(PROFILE))
    assert ("Log out everywhere else" in shown, shown.count("seen")) == (True, 3)
    assert "python-httpx" in shown.partition("Here")[0]

    (session,) = [one for one in (await web("GET", "/api/v1/auth/sessions", who="viewer")).json() if one["id"] == 2]
    await viewer.done(PROFILE, do="end_session", about=session["id"])
    assert [(await one.get(PROFILE)).status_code for one in (viewer, phone, desk)] == [200, 303, 200]

    await viewer.done(PROFILE, do="end_others")
    assert [(await one.get(PROFILE)).status_code for one in (viewer, desk, theirs)] == [200, 303, 200]
    assert (await viewer.post(PROFILE, do="end_session", about=4)).status_code == 404


async def test_without_the_token_nothing_is_changed(web: Web, viewer: Browser) -> None:
    response = await viewer.send(PROFILE, {"do": "change", "form": "you", "you-name": "X", "you-timezone": "UTC"})
    assert response.status_code == 403
    assert (await web("GET", ME)).json()["name"] == "viewer"


async def test_who_is_not_logged_in_comes_to_the_login(viewer: Browser) -> None:
    viewer.client.cookies.clear()
    assert (await viewer.get(PROFILE)).headers["location"] == "/login?next=%2Fprofile"
    assert (await viewer.send(PROFILE, {"do": "end_others"})).status_code == 303


async def test_the_same_holds_for_the_api(web: Web) -> None:
    changed = await web("PATCH", "/api/v1/auth/account", {"name": "Vera", "phone": NUMBER}, who="viewer")
    assert (changed.status_code, changed.json()["name"], changed.json()["phone"]) == (200, "Vera", NUMBER)
    for more in (
        {"role": "admin"},
        {"email": "x@example.org"},
        {"password": "a very long secret"},
        {"is_active": True},
    ):
        assert (await web("PATCH", "/api/v1/auth/account", more, who="viewer")).status_code == 422
    assert (await web("DELETE", f"{ME}/sessions", who="viewer")).status_code == 403
