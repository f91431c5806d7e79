"""Is everything counted once, and nothing lost while it cannot be written down?"""

from datetime import timedelta

import pytest
from pagerpal_common.vocabulary import AlertOutcome, SourceEnding
from pagerpal_ingest import tally as module
from pagerpal_ingest.tally import Seen, Tally

from services.ingest.tests.conftest import START, an_alert

MINUTE = START.replace(second=0, microsecond=0)
OPENED, KEPT = AlertOutcome.OPENED, SourceEnding.KEPT


def test_endings_are_counted_by_source_and_minute() -> None:
    tally = Tally()

    for source, seconds in ((1, 0), (1, 59), (1, 60), (2, 0)):
        tally.note(source, KEPT, START + timedelta(seconds=seconds))

    later = MINUTE + timedelta(minutes=1)
    assert dict(tally.take().endings) == {(1, MINUTE, KEPT): 2, (1, later, KEPT): 1, (2, MINUTE, KEPT): 1}
    assert not tally.take().endings


def test_a_source_s_clock_is_ahead_by_what_it_dates_after_its_arrival() -> None:
    tally = Tally()

    tally.note_alert(an_alert().model_copy(update={"event_at": START + timedelta(seconds=90)}), OPENED)
    ahead = tally.take().seen[1]
    tally.note_alert(an_alert().model_copy(update={"event_at": START - timedelta(hours=1)}), OPENED)
    behind = tally.take().seen[1]
    tally.note_alert(an_alert(), OPENED)
    undated = tally.take().seen[1]

    assert (ahead.skew_seconds, behind.skew_seconds, undated.skew_seconds) == (90, 0, None)
    assert ahead.last_alert_at == START


def test_what_could_not_be_written_is_counted_on_under_what_came_since() -> None:
    tally = Tally()
    tally.note_alert(an_alert(), OPENED)
    tally.note_refusal(1, SourceEnding.REFUSED_REQUEST, "first", START)
    lost = tally.take()
    tally.note_alert(an_alert(), OPENED)
    tally.note_refusal(1, SourceEnding.REFUSED_REQUEST, "second", START + timedelta(seconds=1))

    tally.put_back(lost)

    counts = tally.take()
    assert counts.endings[1, MINUTE, OPENED] == 2
    assert counts.endings[1, MINUTE, SourceEnding.REFUSED_REQUEST] == 2
    assert counts.seen[1] == Seen(START, None, START + timedelta(seconds=1), "second")


def test_a_long_absence_of_the_database_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_LIMIT", 3)
    tally = Tally()

    for minutes in range(10):
        tally.note(1, KEPT, START + timedelta(minutes=minutes))
    tally.note(1, KEPT, START)

    assert sorted(tally.take().endings.values()) == [1, 1, 2]
