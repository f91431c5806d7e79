"""Whoever guesses passwords is slowed down; whoever knows theirs is never locked out."""

import asyncio

import httpx
import pytest
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web import passwords
from pagerpal_web.domain.budget import ROWS

from .conftest import ACCOUNTS, PASSWORD, Web
from .test_sessions import is_in

TEAMS = "/api/v1/teams"


async def guess(web: Web, number: int, who: str = "responder") -> httpx.Response:
    """A wrong password, by either way in."""
    if number % 2:
        return await web("GET", TEAMS, who=who, password=f"guess {number}")
    return await web.client.post("/login", json={"email": f"{who}@example.org", "password": f"guess {number}"})


async def log_in(web: Web, who: str = "responder") -> int:
    response = await web.client.post("/login", json={"email": f"{who}@example.org", "password": PASSWORD})
    web.client.cookies.clear()
    return response.status_code


async def test_either_way_in_counts_and_each_wait_is_longer_than_the_one_before(web: Web, clock: Clock) -> None:
    assert [(await guess(web, number)).status_code for number in range(5)] == [401] * 5
    waits = []
    for number in range(5, 12):
        slowed = await guess(web, number)
        assert slowed.status_code == 429
        assert "try again in" in slowed.json()["detail"]
        waits.append(int(slowed.headers["retry-after"]))
        clock.advance(seconds=waits[-1])
        assert (await guess(web, number)).status_code == 401
    assert waits == sorted(waits)
    assert waits[0] == 1
    assert waits[-1] == 30


async def test_while_guessing_is_slowed_down_no_password_is_tried_not_even_the_right_one(web: Web) -> None:
    for number in range(5):
        await guess(web, number)
    assert await log_in(web) == 429
    assert (await web("GET", TEAMS, who="responder")).status_code == 429


async def test_from_another_address_the_right_password_always_works(web: Web) -> None:
    for number in range(300):
        await guess(web, number)
    elsewhere = web.at("192.0.2.7")
    assert await log_in(elsewhere) == 200
    assert (await elsewhere("GET", TEAMS, who="responder")).status_code == 200


async def test_after_the_wait_the_right_password_works_from_the_same_address_too(web: Web, clock: Clock) -> None:
    for number in range(300):
        await guess(web, number)
    clock.advance(seconds=30)
    assert await log_in(web) == 200
    assert await log_in(web) == 200


async def test_whoever_is_logged_in_stays_so_and_a_script_that_was_right_goes_on(web: Web) -> None:
    session = await web.session("responder")
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200
    for number in range(50):
        await guess(web, number)
        await guess(web, number, who="viewer")
    assert await is_in(web, session)
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200


async def test_one_password_for_many_accounts_is_slowed_down_known_or_not(web: Web) -> None:
    statuses = [(await guess(web, number, who=f"stranger{number}")).status_code for number in range(31)]
    assert statuses == [401] * 30 + [429]
    assert await log_in(web) == 429
    assert await log_in(web.at("192.0.2.7")) == 200


@pytest.mark.parametrize("who", ["responder", "stranger", "deactivated", "passwordless"])
async def test_the_slow_down_tells_nothing_of_the_account(who: str, web: Web) -> None:
    answers = [await guess(web, number, who=who) for number in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert [answer.headers["retry-after"] for answer in answers[5:]] == ["1", "1"]


async def test_an_address_is_one_in_whatever_case_and_spelling(web: Web) -> None:
    for who in ("responder", "RESPONDER", "Responder", "rEsPoNdEr", "resPONDER"):
        assert (await guess(web, 0, who=who)).status_code == 401
    assert (await guess(web.at("::ffff:127.0.0.1"), 0)).status_code == 429


async def test_of_an_ipv6_subscriber_all_addresses_count_as_one(web: Web) -> None:
    for number in range(5):
        assert (await guess(web.at(f"2001:db8:1:2::{number}"), number)).status_code == 401
    assert (await guess(web.at("2001:db8:1:2:ffff::1"), 0)).status_code == 429
    assert (await guess(web.at("2001:db8:1:3::1"), 0)).status_code == 401


async def test_guesses_that_come_all_at_once_are_no_more_than_others(web: Web) -> None:
    responses = await asyncio.gather(*(guess(web, number) for number in range(40)))
    statuses = [response.status_code for response in responses]
    assert (statuses.count(401), statuses.count(429)) == (5, 35)


async def test_failures_are_written_down_but_a_storm_of_them_does_not_fill_the_disk(
    web: Web, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_verify", lambda *_: False)  # wrong without 40 ms of argon2 each
    for number in range(300):
        await guess(web.at(f"192.0.{number}.7"[:15]), number)
    count = "SELECT count(*) AS n FROM directory.audit_events WHERE action = 'login_failed'"
    assert (await rows(count))[0]["n"] == ROWS


async def test_after_a_storm_the_next_line_says_how_many_were_left_out(web: Web, clock: Clock) -> None:
    for number in range(ROWS + 7):
        await guess(web.at(f"10.0.{number}.7"), 0)
    clock.advance(minutes=1)
    await guess(web.at("192.0.2.7"), 0)
    assert (await web.audit("&action=login_failed"))[0]["data"] == {"by": "login", "skipped": 7}


async def test_a_failure_names_the_account_if_it_is_one_and_never_what_was_typed(web: Web, rows: Rows) -> None:
    for who in ("responder", "deactivated", "passwordless", "stranger-planted"):
        await web.client.post("/login", json={"email": f"{who}@example.org", "password": "planted-password"})
    events = (await web.audit("&action=login_failed"))[::-1]
    assert [event["target_id"] for event in events] == [
        ACCOUNTS["responder"],
        ACCOUNTS["deactivated"],
        ACCOUNTS["passwordless"],
        None,
    ]
    assert {event["actor_user_id"] for event in events} == {None}
    assert "planted" not in repr(await rows("SELECT * FROM directory.audit_events"))
