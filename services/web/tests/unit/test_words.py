"""Times, durations and words, as people read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jinja2 import Environment
from pagerpal_web.domain.shown import plain
from pagerpal_web.ui.words import FILTERS, label, span

NOW = datetime(2026, 5, 21, 12, tzinfo=UTC)


def shown(template: str, zone: str = "Europe/Berlin", **values: Any) -> str:
    environment = Environment(autoescape=True)
    environment.filters.update(FILTERS)
    return environment.from_string(template).render(now=NOW, timezone=zone, **values)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (252, "4 min 12 s"),
        (601, "10 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (86400, "1 d"),
        (2 * 86400 + 7300, "2 d 2 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW, "14:00"),
        (datetime(2026, 5, 20, 23, 30, tzinfo=UTC), "01:30"),  # in Berlin that is today
        (datetime(2026, 5, 20, 21, 30, tzinfo=UTC), "Wed 20 May 23:30"),
        (datetime(2025, 12, 31, 12, tzinfo=UTC), "Wed 31 Dec 2025 13:00"),
    ],
)
def test_an_instant_is_told_in_the_viewers_zone_and_as_shortly_as_it_can_be(at: datetime, text: str) -> None:
    assert f">{text}</time>" in shown("{{ at | moment }}", at=at)


def test_the_whole_of_an_instant_is_there_for_machines_and_for_who_points_at_it() -> None:
    html = shown("{{ at | moment }}", at=NOW)

    assert 'datetime="2026-05-21T12:00:00+00:00"' in html
    assert 'title="Thursday 21 May 2026, 14:00:00 CEST"' in html


@pytest.mark.parametrize(
    ("away", "text"),
    [(timedelta(0), "now"), (timedelta(minutes=-5), "5 min ago"), (timedelta(hours=2), "in 2 h")],
)
def test_how_long_ago_and_how_soon(away: timedelta, text: str) -> None:
    assert f">{text}</time>" in shown("{{ at | ago }}", at=NOW + away)


def test_what_has_never_been_is_said_in_a_word() -> None:
    assert shown("{{ none | moment }} {{ none | ago }}", none=None) == "never never"


def test_a_word_of_the_vocabulary_begins_a_line() -> None:
    assert label("no_reply") == "No reply"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("Disk full", "Disk full"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("hid\u200bden \u202ereversed", "hid den reversed"),
        ("\u200b \u0000", "(no title)"),
        ("", "(no title)"),
    ],
)
def test_a_title_is_one_line_of_what_can_be_seen(given: str, text: str) -> None:
    assert plain(given) == text
