"""Who is on call from when to when, for people to read? Pure: what follows on for one person is one turn of theirs."""

from datetime import datetime

from pagerpal_common.oncall import Timeline

from pagerpal_web.domain.coverage import holders


def turns(timeline: Timeline) -> tuple[tuple[datetime, datetime, int | None], ...]:
    """Start, end and who of each turn, in order; None is nobody. Whether it comes from a rotation or an override is on
    the picture: nobody changes hands there."""
    found: list[tuple[datetime, datetime, int | None]] = []
    for starts_at, ends_at, user in holders(timeline):
        if found and found[-1][1:] == (starts_at, user):
            found[-1] = (found[-1][0], ends_at, user)
        else:
            found.append((starts_at, ends_at, user))
    return tuple(found)
