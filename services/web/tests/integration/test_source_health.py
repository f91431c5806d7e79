"""Does a source's health say what an operator has to mend?"""

from datetime import timedelta

import pytest
from pagerpal_common.testing.rows import Rows

from services.web.tests.integration.conftest import T0, Web

_TALLY = "INSERT INTO ingest.source_tallies VALUES (:source, :minute, :ending, :count)"
_SEEN = "INSERT INTO ingest.source_states VALUES (:source, :at, 12.5, :at, 'body.title: Text must not be blank')"


async def a_source(web: Web) -> int:
    team = await web.a_team()
    number: int = (await web.made("alert-sources", team_id=team["id"], name="Prometheus", source_type="generic"))["id"]
    return number


async def test_a_source_that_never_sent_anything_says_so(web: Web) -> None:
    number = await a_source(web)

    health = (await web("GET", f"/api/v1/alert-sources/{number}/health", who="viewer")).json()

    assert (health["source_id"], health["state"], health["last_alert_at"]) == (number, "never_heard", None)
    assert (health["alerts_per_minute"], health["accepted"], health["endings"]) == (0, 0, {})


async def test_the_last_day_is_added_up_by_what_became_of_it(web: Web, rows: Rows) -> None:
    number = await a_source(web)
    minutes = {"opened": 2, "updated": 3, "ignored": 3, "kept": 700, "limited": 700, "refused_key": 800}
    for ending, ago in minutes.items():
        await rows(_TALLY, source=number, minute=T0 - timedelta(minutes=ago), ending=ending, count=10)
    await rows(_TALLY, source=number, minute=T0 - timedelta(days=1, minutes=1), ending="opened", count=99)
    await rows(_SEEN, source=number, at=T0 - timedelta(minutes=2))

    health = (await web("GET", f"/api/v1/alert-sources/{number}/health")).json()

    assert health["endings"] == dict.fromkeys(minutes, 10)
    assert (health["accepted"], health["duplicates_absorbed"], health["alerts_per_minute"]) == (40, 20, 6)
    assert (health["refused_keys"], health["refused_requests"], health["limited"]) == (10, 0, 10)
    assert (health["state"], health["clock_skew_seconds"]) == ("ok", 12.5)
    assert health["last_refusal"] == "body.title: Text must not be blank"


@pytest.mark.parametrize(
    ("ending", "state"),
    [("opened", "ok"), ("limited", "limited"), ("refused_key", "refused"), ("refused_request", "refused")],
)
async def test_what_happened_in_the_last_minutes_is_its_state(web: Web, rows: Rows, ending: str, state: str) -> None:
    number = await a_source(web)
    await rows(_SEEN, source=number, at=T0)
    await rows(_TALLY, source=number, minute=T0 - timedelta(minutes=1), ending=ending, count=1)

    health = (await web("GET", f"/api/v1/alert-sources/{number}/health")).json()

    assert health["state"] == state


async def test_a_source_that_is_switched_off_says_that_first(web: Web) -> None:
    number = await a_source(web)
    await web("PATCH", f"/api/v1/alert-sources/{number}", {"is_active": False})

    health = (await web("GET", f"/api/v1/alert-sources/{number}/health")).json()

    assert health["state"] == "switched_off"


async def test_the_key_of_before_is_kept_as_its_hash_only(web: Web, rows: Rows) -> None:
    number = await a_source(web)
    query = "SELECT key_hash, previous_key_hash FROM directory.alert_sources"
    ((first, none),) = [tuple(row.values()) for row in await rows(query)]

    await web("POST", f"/api/v1/alert-sources/{number}/regenerate-key")

    ((second, before),) = [tuple(row.values()) for row in await rows(query)]
    assert none is None
    assert before == first != second
