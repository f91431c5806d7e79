"""Alerts as they were sent, in PostgreSQL: two of each incident, and never the reason that an alert is lost."""

from datetime import timedelta
from typing import Any

from pagerpal_common.contracts.alerts import Alert, RawAlert
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertOutcome
from pagerpal_incidents.context import Context
from pagerpal_incidents.intake import take_in

from .conftest import T0, an_alert
from .test_intake import POISON, POISON_TRIGGER

KEPT = """
SELECT incident_id, place, received_at, content_type, body, size, is_cut FROM incidents.raw_alerts ORDER BY 1, 2
"""


def sent(text: str | None, external_id: str | None = "cpu", *, second: float = 0, **changes: Any) -> Alert:
    raw = RawAlert(text=text, size=120_000, is_cut=True, content_type="application/json")
    return an_alert(external_id, **{"raw": raw, "received_at": T0 + timedelta(seconds=second)} | changes)


async def bodies(rows: Rows) -> list[tuple[int, str, str | None]]:
    return [(row["incident_id"], row["place"], row["body"]) for row in await rows(KEPT)]


async def test_the_first_and_the_newest_alert_are_kept_as_they_were_sent(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [sent('{"a": 1}')])
    await take_in(ctx, [sent('{"a": 2}', second=60), sent('{"a": 3}', second=120), sent("text", None, second=120)])
    await take_in(ctx, [sent('{"a": 4}', second=180)])

    assert await bodies(rows) == [(1, "first", '{"a": 1}'), (1, "last", '{"a": 4}'), (2, "first", "text")]
    assert (await rows(KEPT))[1] == {
        "incident_id": 1,
        "place": "last",
        "received_at": T0 + timedelta(seconds=180),
        "content_type": "application/json",
        "body": '{"a": 4}',
        "size": 120_000,
        "is_cut": True,
    }


async def test_a_storm_of_repeats_writes_once_a_minute(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [sent("0")])
    (before,) = await rows("SELECT xmin::text::bigint AS written FROM incidents.raw_alerts")

    for number in range(1, 30):
        await take_in(ctx, [sent(str(number), second=number)])
    (still,) = await rows("SELECT xmin::text::bigint AS written FROM incidents.raw_alerts")
    await take_in(ctx, [sent("minute", second=60), sent("just after", second=60.1)])

    assert still == before
    assert await bodies(rows) == [(1, "first", "0"), (1, "last", "minute")]


async def test_what_cannot_be_stored_is_left_out_and_the_alert_counts(ctx: Context, rows: Rows) -> None:
    """Ingest lets no such text through; should it ever, somebody is woken all the same."""
    results = await take_in(ctx, [sent("fine", "a"), sent("not\0so", "b"), sent("fine, too", "c")])

    assert [result.outcome for result in results] == [AlertOutcome.OPENED] * 3
    assert [body for _, _, body in await bodies(rows)] == ["fine", None, "fine, too"]
    assert await rows("SELECT 1 FROM incidents.parked_alerts") == []


async def test_what_ingest_could_not_keep_says_so(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [sent(None)])
    await take_in(ctx, [an_alert("from an older version")])

    assert await bodies(rows) == [(1, "first", None)]


async def test_an_alert_that_is_parked_is_parked_as_it_was_sent(ctx: Context, rows: Rows) -> None:
    await rows(POISON)
    await rows(POISON_TRIGGER)

    (result,) = await take_in(ctx, [sent('{"odd": true}', title="poison")])

    assert result.outcome == AlertOutcome.PARKED
    (parked,) = await rows("SELECT body FROM incidents.parked_alerts")
    parsed = Alert.model_validate_json(parked["body"])
    assert parsed.raw is not None
    assert parsed.raw.text == '{"odd": true}'


async def test_an_alert_given_twice_is_kept_once(ctx: Context, rows: Rows) -> None:
    alert = sent("once")

    await take_in(ctx, [alert])
    await take_in(ctx, [alert])

    assert await bodies(rows) == [(1, "first", "once")]
