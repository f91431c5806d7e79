"""What does a change to a schedule do to who is on call? Pure: the timelines before and after it are arguments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pagerpal_common.oncall import Gap, Span, Timeline


@dataclass(frozen=True)
class Difference:
    """A time in which somebody else is on call afterwards; None is nobody."""

    starts_at: datetime
    ends_at: datetime
    before: int | None
    after: int | None


def differences(before: Timeline, after: Timeline) -> tuple[Difference, ...]:
    """Where two timelines of the same stretch name different people, in order; what only goes on is one of them."""
    found: list[Difference] = []
    for each in _side_by_side(before, after):
        last = found[-1] if found else None
        if each.before == each.after:
            continue
        if last and (last.ends_at, last.before, last.after) == (each.starts_at, each.before, each.after):
            found[-1] = replace(last, ends_at=each.ends_at)
        else:
            found.append(each)
    return tuple(found)


def new_gaps(changed: Sequence[Difference]) -> tuple[Difference, ...]:
    """The times for which there was somebody before, and is nobody afterwards."""
    return tuple(each for each in changed if each.after is None)


def holders(timeline: Timeline) -> tuple[tuple[datetime, datetime, int | None], ...]:
    """Who is on call from when to when: spans and gaps in one row, in order."""
    spans = [(span.starts_at, span.ends_at, span.user_id) for span in timeline.spans]
    gaps = [(gap.starts_at, gap.ends_at, None) for gap in timeline.gaps]
    return tuple(sorted([*spans, *gaps], key=lambda each: each[0]))


def next_holder(timeline: Timeline, at: datetime) -> Span | Gap | None:
    """What comes after that which is at `at`: somebody else, or nobody. None when that holds to the end."""
    rows: list[Span | Gap] = sorted([*timeline.spans, *timeline.gaps], key=lambda each: each.starts_at)
    now = next((row for row in rows if row.starts_at <= at < row.ends_at), None)
    return next((row for row in rows if row.starts_at > at and _user(row) != _user(now)), None)


def is_held_by(timeline: Timeline, user_id: int) -> bool:
    """Whether the whole of it is this person's."""
    return not timeline.gaps and {span.user_id for span in timeline.spans} == {user_id}


def joined(timeline: Timeline, user_id: int) -> tuple[tuple[datetime, datetime], ...]:
    """This person's shifts: spans that follow each other without a break are one, whatever each comes from."""
    shifts: list[tuple[datetime, datetime]] = []
    for span in timeline.spans:
        if span.user_id != user_id:
            continue
        if shifts and shifts[-1][1] == span.starts_at:
            shifts[-1] = (shifts[-1][0], span.ends_at)
        else:
            shifts.append((span.starts_at, span.ends_at))
    return tuple(shifts)


def ahead(gaps: Sequence[Gap], now: datetime) -> timedelta:
    """How long nobody is on call from now on, in all."""
    return sum((gap.ends_at - max(gap.starts_at, now) for gap in gaps if gap.ends_at > now), timedelta())


def _side_by_side(before: Timeline, after: Timeline) -> Iterator[Difference]:
    """Both, cut wherever one of them changes."""
    old, new = holders(before), holders(after)
    place = 0
    for starts_at, ends_at, user in old:
        while place < len(new) and new[place][1] <= starts_at:
            place += 1
        for its_start, its_end, other in new[place:]:
            if its_start >= ends_at:
                break
            yield Difference(max(starts_at, its_start), min(ends_at, its_end), user, other)


def _user(row: Span | Gap | None) -> int | None:
    return row.user_id if isinstance(row, Span) else None
