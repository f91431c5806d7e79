"""How much may one person be sent, and what becomes of what is beyond it? It is merged into one message: never dropped,
never long unsent.

Whoever is paged for the fortieth time in a minute reads nothing any more, and the provider's own flooding filter drops
what it is given beyond 20 different SMS to a number in an hour (Infobip, status 20). So a person's messages by one
channel, to one address, within the hour are counted. The first go out one by one. What comes after waits for a moment,
so that one message tells of all that has come meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from pagerpal_common.vocabulary import Channel, Severity

WINDOW = timedelta(hours=1)
"""What was sent longer ago than this counts no more."""

LATE = timedelta(minutes=5)
"""A page that leaves so long after it was wanted says so; and what waits beside it leaves in the same message, for
then there has been an outage, or a storm."""


@dataclass(frozen=True)
class Gap:
    """From this many messages in the window on, how long after the last one the next may go."""

    sent: int
    gap: timedelta


@dataclass(frozen=True)
class Budget:
    """What one person is sent by one channel, to one address, within `WINDOW`."""

    singles: int
    """So many messages go at once, each for a notification of its own."""
    kept: int
    """So many of them are kept for what is critical: it does not wait because of warnings."""
    gaps: tuple[Gap, ...]
    """From then on. The longest is the longest that anybody is kept waiting."""

    def gap(self, sent: int) -> timedelta:
        """How long after the last of so many messages the next may go."""
        return max((step.gap for step in self.gaps if sent >= step.sent), default=timedelta(0))


def _budget(singles: int, kept: int, soon: float, then: int, later: float) -> Budget:
    """Minutes between messages after the singles, and after so many messages."""
    return Budget(singles, kept, (Gap(singles, timedelta(minutes=soon)), Gap(then, timedelta(minutes=later))))


BUDGETS: Mapping[Channel, Budget | None] = {
    # 19 in an hour at most: 13, and one in each 10 minutes. One below the flooding filter.
    Channel.SMS: _budget(10, 3, 3, 13, 10),
    # A call takes the whole of a person: 10 in an hour at most.
    Channel.VOICE: _budget(4, 1, 5, 6, 15),
    # These disturb less, and tell more.
    Channel.EMAIL: _budget(30, 5, 2, 40, 5),
    Channel.SLACK: _budget(30, 5, 1, 45, 5),
    Channel.APPRISE: _budget(30, 5, 1, 45, 5),
    Channel.WEB_PUSH: _budget(30, 5, 1, 45, 5),
    # A machine reads each page, in order, and needs no rest.
    Channel.WEBHOOK: None,
}
"""What is printed on the console keeps its channel's budget: whoever tries PagerPal out sees what people would get."""

BUDGETED = frozenset(channel for channel, budget in BUDGETS.items() if budget is not None)

ONE_AT_A_TIME = frozenset({Channel.WEBHOOK, Channel.SLACK})
"""Read in order: the next message goes once the one before is with the provider."""

ENDS_AT_ONCE = 200
"""Notifications that may not be sent, to a transaction: each may make its person's last resort due."""


@dataclass(frozen=True)
class Recipient:
    """Where messages of one budget go."""

    user_id: int
    channel: Channel
    address: str = field(repr=False)


@dataclass(frozen=True)
class Spent:
    """What a recipient was sent within the window."""

    sent: int
    last_at: datetime


@dataclass(frozen=True)
class Due:
    """A notification that is due."""

    notification_id: int
    to: Recipient
    repeats: UUID | None
    """The message that may be with the provider already: it goes again with all that it told of, and nothing else."""
    is_sendable: bool
    """Wanted, and there is somebody to send it to."""
    severity: Severity
    pass_number: int
    step: int
    wanted_at: datetime


@dataclass(frozen=True)
class Held:
    """Notifications that wait for the next digest."""

    ids: tuple[int, ...]
    until: datetime
    why: str
    """Stored and shown."""


@dataclass(frozen=True)
class Plan:
    """What becomes of what is due."""

    messages: tuple[tuple[Due, ...], ...]
    """Each is one message, that tells of these; the most urgent message and notification first."""
    held: tuple[Held, ...]
    ends: tuple[Due, ...]
    """Not sent: each for a reason of its own."""


def open_to(due: Iterable[Due], spent: Mapping[Recipient, Spent], *, now: datetime) -> list[Recipient]:
    """To whom something new goes now that was sent something lately: what waits for their digest goes with it, or what
    comes later would overtake it."""
    fresh: defaultdict[Recipient, list[Due]] = defaultdict(list)
    for one in due:
        if one.is_sendable and one.repeats is None and one.to in spent and BUDGETS[one.to.channel] is not None:
            fresh[one.to].append(one)
    return [to for to, ones in fresh.items() if (_opens_at(ones, spent[to]) or now) <= now]


def plan(due: Sequence[Due], spent: Mapping[Recipient, Spent], *, room: int, now: datetime) -> Plan:
    """Which messages go now, at most `room`, and what waits. What is in neither stays due: there was no room."""
    by_recipient: defaultdict[Recipient, list[Due]] = defaultdict(list)
    for one in sorted(due, key=_urgency):
        if one.is_sendable:
            by_recipient[one.to].append(one)
    messages: list[tuple[Due, ...]] = []
    held: list[Held] = []
    for to, waiting in by_recipient.items():
        messages += _repeated(waiting)
        fresh = [one for one in waiting if one.repeats is None]
        until = _opens_at(fresh, spent.get(to))
        if until is not None and until > now:
            held.append(Held(tuple(one.notification_id for one in fresh), until, _why(until)))
        else:
            messages += _split(to.channel, fresh, spent.get(to), now)
    messages.sort(key=lambda message: _rank(message[0], spent.get(message[0].to)))
    return Plan(tuple(messages[:room]), tuple(held), tuple(one for one in due if not one.is_sendable)[:ENDS_AT_ONCE])


def whole_messages(due: list[Due], most: int) -> list[Due]:
    """Without the message in doubt that the limit may have cut in two, if there is anything before it. Its provider
    takes an id once: the other half would count as told, and nobody would have been."""
    if len(due) < most or due[-1].repeats is None:
        return due
    return [one for one in due if one.repeats != due[-1].repeats] or due


def _urgency(one: Due) -> tuple[int, int, int, datetime, int]:
    """Critical first; then the first page of an incident before repeats; then what has waited longest."""
    return (list(Severity).index(one.severity), one.pass_number, one.step, one.wanted_at, one.notification_id)


def _rank(first: Due, spent: Spent | None) -> tuple[int, int, int, float, datetime, int]:
    """The same among messages, and of persons the one who was paged least recently first."""
    severity, pass_number, step, wanted_at, number = _urgency(first)
    return (severity, pass_number, step, spent.last_at.timestamp() if spent else 0.0, wanted_at, number)


def _repeated(waiting: Iterable[Due]) -> list[tuple[Due, ...]]:
    """What is in doubt goes again as it went, and costs nothing: its provider tells it by its id."""
    messages: defaultdict[UUID, list[Due]] = defaultdict(list)
    for one in waiting:
        if one.repeats is not None:
            messages[one.repeats].append(one)
    return [tuple(message) for message in messages.values()]


def _opens_at(fresh: Sequence[Due], spent: Spent | None) -> datetime | None:
    """When the next message may go, that tells of these; None when at any time."""
    budget = BUDGETS[fresh[0].to.channel] if fresh else None
    if budget is None or spent is None:
        return None
    gap = budget.gap(spent.sent if _critical(fresh) else spent.sent + budget.kept)
    return spent.last_at + gap if gap else None


def _critical(fresh: Sequence[Due]) -> int:
    return sum(one.severity is Severity.CRITICAL for one in fresh)


def _split(channel: Channel, fresh: list[Due], spent: Spent | None, now: datetime) -> list[tuple[Due, ...]]:
    """Into messages that may go now. What does not go by itself shares the last one, so that nothing waits."""
    budget = BUDGETS[channel]
    if budget is not None and len(fresh) > 1:
        singles = budget.singles - (spent.sent if spent else 0)
        if singles <= 1 or any(now - one.wanted_at >= LATE for one in fresh):
            return [tuple(fresh)]
        critical = _critical(fresh)
        if critical < len(fresh):
            singles = max(singles - budget.kept, min(singles, critical + 1))
        if len(fresh) > singles:
            rest = [] if channel in ONE_AT_A_TIME and singles > 1 else [tuple(fresh[singles - 1 :])]
            return _alone(channel, fresh[: singles - 1]) + rest
    return _alone(channel, fresh)


def _alone(channel: Channel, fresh: Iterable[Due]) -> list[tuple[Due, ...]]:
    """A message each; in order, only the next."""
    if channel in ONE_AT_A_TIME:
        return [(one,) for one in sorted(fresh, key=lambda one: one.notification_id)[:1]]
    return [(one,) for one in fresh]


def _why(until: datetime) -> str:
    """Rounded up to the second: at that time it has gone, or goes."""
    return f"the page budget is used up: waits for the next digest at {until + timedelta(seconds=1):%H:%M:%S} UTC"
