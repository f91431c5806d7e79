"""Who is on call now, until when, and where will nobody be? And what does a change to a schedule do to that?

Pure: timelines are arguments. What pages say of gaps ahead is all from here, so that no two of them differ.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pagerpal_common.oncall import Gap, Span, Timeline

HORIZON = timedelta(days=14)
"""How far ahead of this moment every page looks for gaps."""


@dataclass(frozen=True)
class Standing:
    """A schedule as it is at one moment."""

    holder: int | None
    """None while nobody is on call."""
    until: datetime | None
    """None when that is further ahead than was looked."""
    next_user: int | None
    """Who comes then; None is nobody."""
    gaps: tuple[Gap, ...]
    """Those ahead, up to the horizon; the first may have begun."""


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


def turns(timeline: Timeline) -> tuple[tuple[datetime, datetime, int | None], ...]:
    """Start, end and who of each turn, in order; None is nobody. What follows on for one person is one turn of theirs,
    whether it comes from a rotation or an override: nobody changes hands there."""
    found: list[tuple[datetime, datetime, int | None]] = []
    for starts_at, ends_at, user in holders(timeline):
        if found and found[-1][1:] == (starts_at, user):
            found[-1] = (found[-1][0], ends_at, user)
        else:
            found.append((starts_at, ends_at, user))
    return tuple(found)


def joined(timeline: Timeline, user_id: int) -> tuple[tuple[datetime, datetime], ...]:
    """This person's turns."""
    return tuple((starts_at, ends_at) for starts_at, ends_at, user in turns(timeline) if user == user_id)


def standing(timeline: Timeline, now: datetime) -> Standing:
    """How a schedule stands, of which this timeline reaches from `now` or before to the horizon or beyond."""
    following = next_holder(timeline, now)
    return Standing(
        holder=next((span.user_id for span in timeline.spans if span.starts_at <= now < span.ends_at), None),
        until=None if following is None else following.starts_at,
        next_user=_user(following),
        gaps=gaps_within(timeline, now, now + HORIZON),
    )


def gaps_within(timeline: Timeline, since: datetime, until: datetime) -> tuple[Gap, ...]:
    """When nobody is on call from `since` up to `until`."""
    return tuple(
        Gap(max(gap.starts_at, since), min(gap.ends_at, until))
        for gap in timeline.gaps
        if gap.starts_at < until and gap.ends_at > since
    )


def in_all(gaps: Iterable[Gap]) -> timedelta:
    """How long they are together."""
    return sum((gap.ends_at - gap.starts_at for gap in gaps), timedelta())


def cut(timeline: Timeline, since: datetime, until: datetime) -> Timeline:
    """A part of a timeline: the same as if no more of it had been worked out."""
    spans = (
        replace(span, starts_at=max(span.starts_at, since), ends_at=min(span.ends_at, until))
        for span in timeline.spans
        if span.starts_at < until and span.ends_at > since
    )
    return Timeline(tuple(spans), gaps_within(timeline, since, until))


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
