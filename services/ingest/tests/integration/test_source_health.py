"""Is what a source does written down where people see it?"""

import asyncio
import json
from typing import Any

import pytest
from pagerpal_common.vocabulary import SourceEnding
from pagerpal_ingest.domain.credentials import key_hash
from pagerpal_ingest.loops import TALLIES_KEPT
from structlog.testing import capture_logs

from services.ingest.tests.integration.conftest import BODY, KEY, Door

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


EVENT: dict[str, Any] = {"routing_key": KEY, "event_action": "trigger", "payload": {"summary": "x", "source": "db-1"}}
GZIP = {"Content-Encoding": "gzip"}
ALERTS, GRAFANA, EVENTS = "/api/v1/alerts", "/api/v1/webhooks/grafana", "/v2/enqueue"
CLOUDWATCH = "/api/v1/webhooks/cloudwatch"
HEADER = {"X-Routing-Key": KEY}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (ALERTS, b"x" * (256 * 1024 + 1), {}, 413),
        (ALERTS, BODY, GZIP, 415),
        (ALERTS, b"[" * 100 + b"]" * 100, {}, 422),
        (ALERTS, BODY, {"Idempotency-Key": "x" * 256}, 422),
        (ALERTS, {**BODY, "team_id": 3}, {}, 403),
        (GRAFANA, b"x" * (5 * 1024 * 1024 + 1), {}, 413),
        (GRAFANA, {"title": "x"}, GZIP, 415),
        (GRAFANA, b"not json", {}, 422),
        (CLOUDWATCH, b"x" * (256 * 1024 + 1), {}, 413),
        (EVENTS, {**EVENT, "event_action": "explode"}, {}, 400),
        (EVENTS, {**EVENT, "payload": {}}, {}, 400),
        (EVENTS, {**EVENT, "event_action": "resolve"}, {}, 400),
        (EVENTS, b"not json", HEADER, 400),
        (EVENTS, [], HEADER, 400),
        (EVENTS, EVENT, {**HEADER, **GZIP}, 415),
        (EVENTS, b"x" * (512 * 1024 + 1), HEADER, 413),
    ],
)
async def test_every_refusal_of_a_known_source_is_counted_once(
    door: Door, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    answer = await door.send(path, body, **headers)
    await door.turn("ingest.source_tally")

    assert answer.status_code == status
    assert await door.rows(_COUNTS) == [("refused_request", 1)]
    ((_, refusal),) = await door.rows(_STATE)
    assert refusal
    assert door.bus.groups == []


@pytest.mark.parametrize("body", [b"not json", [], {**EVENT, "routing_key": None}])
async def test_what_comes_with_no_good_key_counts_for_nobody(door: Door, body: object) -> None:
    answers = [await door.send(EVENTS, body, **{"X-Routing-Key": key}) for key in ("pp_a_stranger_s", "")]
    await door.turn("ingest.source_tally")

    assert [answer.status_code for answer in answers] == [400, 400]
    assert await door.rows("SELECT ending FROM ingest.source_tallies") == []


async def test_alerts_refused_in_a_group_that_is_taken_are_counted_and_logged_without_what_they_say(
    door: Door,
) -> None:
    good = {"labels": {"alertname": "good"}, "fingerprint": "good"}

    with capture_logs() as logs:
        answer = await door.send(GRAFANA, {"status": "firing", "alerts": [good, "s3cret", None, {"x": "s3cret"}]})
    await door.turn("ingest.source_tally")

    assert answer.status_code == 201
    assert await door.rows(_COUNTS) == [("opened", 1), ("refused_request", 3)]
    ((_, refusal),) = await door.rows(_STATE)
    assert refusal.startswith("3 alerts of a group: this ")
    (line,) = [line for line in logs if line["event"] == "source.alerts_refused"]
    assert (line["source_id"], line["number"], len(line["reasons"])) == (7, 3, 2)
    assert "s3cret" not in json.dumps(logs, default=str)


async def test_a_group_that_its_sender_sends_again_is_not_counted_yet(door: Door) -> None:
    await door.configure(alerts_per_second=0.2)
    for _ in range(2):
        await door.post()

    answer = await door.send(GRAFANA, {"alerts": [{"labels": {"alertname": "good"}}, None]})
    await door.turn("ingest.source_tally")

    assert answer.status_code == 503
    assert await door.rows(_COUNTS) == [("limited", 1), ("opened", 2)]


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
