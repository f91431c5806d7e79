"""Is what a source does written down where people see it?"""

import asyncio

from pagerpal_common.vocabulary import SourceEnding
from pagerpal_ingest.domain.credentials import key_hash
from pagerpal_ingest.loops import TALLIES_KEPT

from services.ingest.tests.integration.conftest import Door

_COUNTS = (
    "SELECT ending, sum(count)::int FROM ingest.source_tallies WHERE source_id = 7 GROUP BY ending ORDER BY ending"
)
_STATE = "SELECT last_alert_at, last_refusal FROM ingest.source_states WHERE source_id = 7"


async def test_alerts_and_refusals_are_written_down_by_minute(door: Door) -> None:
    await asyncio.gather(door.post(), door.post(), door.post(title=" "), door.post_raw(b"not json"))
    await door.turn("ingest.source_tally")
    door.clock.advance(minutes=1)
    await door.post()
    await door.turn("ingest.source_tally")

    assert await door.rows(_COUNTS) == [("opened", 3), ("refused_request", 2)]
    minutes = "SELECT count(DISTINCT minute)::int FROM ingest.source_tallies"
    assert await door.rows(minutes) == [(2,)]
    ((last_alert_at, refusal),) = await door.rows(_STATE)
    assert last_alert_at == door.clock.at
    assert refusal.startswith("body")


async def test_two_processes_add_up_what_they_counted(door: Door) -> None:
    for _ in range(2):
        await door.post()
        await door.turn("ingest.source_tally")

    assert await door.rows(_COUNTS) == [("opened", 2)]


async def test_whoever_still_uses_the_key_of_before_is_refused_and_shown(door: Door) -> None:
    old, new = "pp_the_key_of_before", "pp_the_key_of_today"
    await door.execute(
        "UPDATE directory.alert_sources SET key_hash = :new, previous_key_hash = :old WHERE id = 7",
        new=key_hash(new),
        old=key_hash(old),
    )

    answers = [await door.post(key=key) for key in (old, new, "pp_a_stranger_s")]
    await door.turn("ingest.source_tally")

    assert [answer.status_code for answer in answers] == [403, 201, 403]
    assert answers[0].json() == answers[2].json()
    assert await door.rows(_COUNTS) == [("opened", 1), (str(SourceEnding.REFUSED_KEY), 1)]
    assert (await door.rows(_STATE))[0][1] == "its key has been replaced"


async def test_a_source_beyond_its_limit_is_told_to_come_again_and_it_shows(door: Door) -> None:
    await door.execute("""UPDATE directory.alert_sources SET config = '{"alerts_per_second": 0.2}' WHERE id = 7""")
    door.clock.advance(seconds=5)

    answers = [await door.post() for _ in range(3)]
    await door.turn("ingest.source_tally")

    assert [answer.status_code for answer in answers] == [201, 201, 503]
    assert answers[2].headers["retry-after"]
    assert await door.rows(_COUNTS) == [("limited", 1), ("opened", 2)]


async def test_counts_wait_for_the_database(door: Door) -> None:
    await door.post()
    await door.execute("ALTER TABLE ingest.source_tallies RENAME TO elsewhere")
    for _ in range(2):
        await door.post()
        failed = (await asyncio.gather(door.turn("ingest.source_tally"), return_exceptions=True))[0]
        assert isinstance(failed, Exception)

    await door.execute("ALTER TABLE ingest.elsewhere RENAME TO source_tallies")
    await door.turn("ingest.source_tally")

    assert await door.rows(_COUNTS) == [("opened", 3)]


async def test_old_minutes_are_forgotten(door: Door) -> None:
    await door.post()
    await door.turn("ingest.source_tally")
    door.clock.advance(seconds=TALLIES_KEPT.total_seconds() + 60)
    await door.post()
    await door.turn("ingest.source_tally")

    assert await door.turn("ingest.source_history") == 1

    assert await door.rows(_COUNTS) == [("opened", 1)]
