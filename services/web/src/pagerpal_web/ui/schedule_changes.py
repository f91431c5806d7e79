"""Changing a schedule: each change is shown before it is made, with whom it puts on call instead of whom.

Every form has two steps, with or without JavaScript. "Preview" rehearses the change; "Save" then makes it, out of the
very values that were previewed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pagerpal_common.errors import Refusal, Unprocessable
from pagerpal_common.wall_clock import first_shown, last_shown, shown_at
from starlette.responses import Response

from pagerpal_web.context import Context
from pagerpal_web.domain.clock_changes import clock_changes
from pagerpal_web.domain.coverage import differences, in_all, new_gaps
from pagerpal_web.domain.picture import Stretch
from pagerpal_web.storage.schedule_people import Calendar
from pagerpal_web.ui.coverage import Layer, Loaded, draw_layers, said_of
from pagerpal_web.ui.forms import Form, problems
from pagerpal_web.ui.html import redirect, render, status_of
from pagerpal_web.ui.oncall import viewer_of
from pagerpal_web.ui.pages import Visit
from pagerpal_web.ui.rehearsal import Change, Rehearsal, rehearsed

LONGEST = timedelta(days=366)
"""How much of a schedule is compared at most."""

DRAWN = timedelta(days=28)
"""How much of it is on the picture at most."""

SHOWN_DIFFERENCES = 30

SAVE = "save"


@dataclass(frozen=True)
class Proposal:
    """A change that was asked for, and the time that it is to be looked at in."""

    make: Change
    since: datetime
    until: datetime
    said: str
    """What is said once it is saved; what `make` returns, where that is a text."""
    notes: tuple[str, ...] = ()
    """What there is to say of it beforehand."""

    @property
    def stretch(self) -> Stretch:
        """Never longer than may be looked at."""
        return Stretch(self.since, min(self.until, self.since + LONGEST))


@dataclass(frozen=True)
class FormPage:
    """A form for a change of a schedule: what it is drawn by."""

    template: str
    calendar: Calendar
    values: Mapping[str, Any] = field(default_factory=dict)


async def show_form(
    ctx: Context, visit: Visit, page: FormPage, *, refused: Refusal | None = None, preview: Any = None
) -> Response:
    """The form, with what was typed; and below it what that would do, or what is wrong with it."""
    values = {
        **page.values,
        "calendar": page.calendar,
        "typed": visit.form,
        "problems": {} if refused is None else problems(refused),
        "preview": preview,
        "again": _again(visit.form),
    }
    return await render(ctx, visit.visitor, page.template, status=status_of(refused), **values)


async def take(ctx: Context, visit: Visit, page: FormPage, propose: Callable[[], Proposal]) -> Response:
    """Preview what the form says, or save it."""
    try:
        proposal = propose()
        if visit.form.text("step") == SAVE:
            done = await proposal.make(ctx)
            said = done if isinstance(done, str) else proposal.said
            return redirect(ctx, f"/schedules/{page.calendar.schedule_id}", said)
        rehearsal = await rehearsed(ctx, page.calendar.schedule_id, proposal.stretch, proposal.make)
    except Refusal as refused:
        return await show_form(ctx, visit, page, refused=refused)
    return await show_form(ctx, visit, page, preview=_preview(ctx, visit, page, proposal, rehearsal))


def read_wall(form: Form, name: str, zone: ZoneInfo) -> datetime:
    """The instant at which the clocks of the zone first show what was typed.

    Raises:
        Unprocessable: it is no time.
    """
    return first_shown(wall_time(form, name), zone)


def wall_time(form: Form, name: str) -> datetime:
    """What was typed, by the clock on the wall. Raises Unprocessable: it is no time."""
    try:
        given = datetime.fromisoformat(form.text(name))
    except ValueError:
        given = None
    if given is None or given.tzinfo is not None or not 2000 <= given.year < 2100:
        problem = "give a date and a time (2026-05-21T09:00)"
        raise Unprocessable([{"loc": ["body", name], "msg": problem, "type": "value_error"}])
    return given.replace(microsecond=0)


def typed_at(at: datetime | None, zone: ZoneInfo) -> str:
    """An instant as a field for a date and a time has it."""
    return "" if at is None else f"{shown_at(at, zone):%Y-%m-%dT%H:%M}"


def told_of(form: Form, names: tuple[str, ...], zone: ZoneInfo) -> tuple[str, ...]:
    """What is special about times that come twice, or never, because clocks change."""
    found = []
    for name in names:
        wall = wall_time(form, name)
        first, last = first_shown(wall, zone), last_shown(wall, zone)
        if first != last:
            found.append(f"{wall:%H:%M} comes twice on {wall:%d %b} in {zone.key}; the first of the two is meant.")
        elif shown_at(first, zone) != wall:
            there = shown_at(first, zone)
            found.append(f"{wall:%H:%M} never comes on {wall:%d %b} in {zone.key}; {there:%H:%M} is meant instead.")
    return tuple(found)


@dataclass(frozen=True)
class Preview:
    """What a change would do, as the page says it."""

    changed: tuple[Any, ...]
    more: int
    opened: tuple[Any, ...]
    gap_before: timedelta
    gap_after: timedelta
    picture: Any
    people: Loaded
    stretch: Stretch
    notes: tuple[str, ...]
    clocks: tuple[str, ...]


def _preview(ctx: Context, visit: Visit, page: FormPage, proposal: Proposal, rehearsal: Rehearsal) -> Preview:
    viewer, zone = viewer_of(ctx, visit), ZoneInfo(page.calendar.timezone)
    changed = differences(rehearsal.before, rehearsal.after)
    rows = [
        Layer("On call now", rehearsal.before, is_whole=True),
        Layer("With the change", rehearsal.after, is_whole=True),
    ]
    stretch = proposal.stretch
    return Preview(
        changed[:SHOWN_DIFFERENCES],
        max(len(changed) - SHOWN_DIFFERENCES, 0),
        new_gaps(changed),
        in_all(rehearsal.before.gaps),
        in_all(rehearsal.after.gaps),
        draw_layers(
            rows, rehearsal.loaded, Stretch(stretch.since, min(stretch.until, stretch.since + DRAWN)), viewer, zone
        ),
        rehearsal.loaded,
        stretch,
        proposal.notes,
        tuple(said_of(each, zone, viewer.zone) for each in clock_changes(zone, stretch.since, stretch.until)),
    )


def _again(form: Form) -> list[tuple[str, str]]:
    """The fields as they came, to come again."""
    return [(name, value) for name, values in form.fields.items() if name not in {"csrf", "step"} for value in values]


def around(starts_at: datetime, ends_at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """What to look at when something is changed between two instants: a day on both sides, and a fortnight at least."""
    day = timedelta(days=1)
    since = now if starts_at <= now < ends_at else starts_at.astimezone(UTC) - day
    return since, max(ends_at + day, since + 14 * day)
