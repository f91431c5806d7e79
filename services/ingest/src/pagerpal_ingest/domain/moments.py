"""When did it happen, by the sender's own clock? (reliability S20)

What claims to be of the future is passed on as it is: incidents weighs it against our clock where it compares words,
and how far a source's clock is ahead can be shown at the source.
"""

from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

MILLISECONDS_FROM = 1e11
"""A number of seconds would be in the year 5138."""


def moment(value: object) -> datetime | None:
    """The instant that a sender writes as RFC 3339 or as seconds or milliseconds since 1970; without a zone it is UTC.

    None for anything else, and for years that no alert is of: year 1 is how Go says "not yet".
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS_FROM else value, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return found if EARLIEST <= found < LATEST else None


def news_of(*, is_over: bool, starts_at: datetime | None, ends_at: datetime | None) -> datetime | None:
    """The instant that a word about an episode is news of: the start of a firing, the end of one that is over.

    So what a repeat or a slower peer of a cluster says again of an episode is as old as it was, and older than its
    end; and the next episode is newer than the end of the last. An end is after its own start, whatever the clocks say.
    """
    if not is_over:
        return starts_at
    if starts_at is None or ends_at is None:
        return ends_at
    return max(ends_at, starts_at + timedelta(microseconds=1))
