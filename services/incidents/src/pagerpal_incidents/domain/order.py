"""Which of two things that a source says of the same trouble is the newer?

The newest word decides, in whatever order they arrive (reliability I4):

1. Words that name their episode (`starts_at`): a firing is news of its start, an end of its end, and it ends whatever
   began before. The starts alone say too little: of two Prometheus that watch one rule each has its own, and an
   Alertmanager tells the earlier as soon as it knows both (`Alert.Merge` of its package types). Within one episode "it
   is over" is the last word, whatever its time: two Alertmanagers that watch the same rule say "firing" once more after
   "resolved" (features 2.4). But see `is_back`.
2. Else words with a time of the source's own (`event_at`): the later is newer; at the same instant "it is over" is.
3. Else, when either has no such time: the later to have arrived, by our clock. Of two that arrived at the same instant
   the one that is handled later is newer.

Each rule alone is a total order, so that a source which dates its words in one way ends in the same state whatever the
network did to them. Between a word that is dated and one that is not only our clock can tell: the other two could be
minutes apart, and a firing must not be taken for old because its source's clock is slow.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertStatus

AHEAD = timedelta(minutes=5)
"""How far a source's clock may be ahead of ours. What claims to be further in the future counts by its arrival."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No alert is older. Year 1 is how Go says "not yet", 1970 how others do."""

SET_BACK = timedelta(seconds=1)
"""A word that arrived further in the future than this was heard before our clock was set back. It makes nothing old:
after a step of an hour nobody would be woken for as long."""

BACK_AFTER = timedelta(minutes=2)
"""How long after an end was heard a firing of the same episode may be what a slower peer says late. The peers of an
Alertmanager cluster follow each other within 15 s each."""


class Word(NamedTuple):
    """What a source says of one dedup key: it fires, or it is over."""

    is_over: bool
    heard_at: datetime
    """When it arrived, by our clock."""
    event_at: datetime | None
    """When it happened, by the source's clock."""
    episode_at: datetime | None
    """When the firing began that it is about, by the source's clock."""


def word_of(alert: Alert) -> Word:
    """What an alert says; times that cannot be are left out."""
    arrived = alert.received_at
    return Word(
        is_over=alert.status == AlertStatus.RESOLVED,
        heard_at=arrived,
        event_at=alert.event_at and _credible(alert.event_at, arrived),
        episode_at=alert.starts_at and _credible(alert.starts_at, arrived),
    )


def compare(word: Word, known: Word, at: datetime) -> int:
    """1 when `word` is news to whoever knows `known`, -1 when it is older, 0 when it is the same said again.

    `at` is now.
    """
    if word.episode_at and known.episode_at:
        place, known_place = _place(word, word.episode_at), _place(known, known.episode_at)
        if place != known_place:
            return 1 if place > known_place else -1
        if word.is_over:
            return 0
    if word.event_at and known.event_at:
        if word.event_at != known.event_at:
            return 1 if word.event_at > known.event_at else -1
        return word.is_over - known.is_over
    return -1 if word.heard_at < known.heard_at <= at + SET_BACK else 1


def _place(word: Word, begun_at: datetime) -> tuple[datetime, int]:
    """Where a word about the episode that began then stands among others: by when, and at one instant the end of what
    began before, a firing, and the end of the very episode that begins there."""
    if not word.is_over:
        return begun_at, 1
    ended_at = max(word.event_at or begun_at, begun_at)
    return ended_at, 0 if begun_at < ended_at else 2


def is_back(word: Word, end: Word) -> bool:
    """Whether a firing that began before `end` is no late copy, but the same trouble, there again.

    An Alertmanager that hears nothing from its Prometheus for a while declares the alert over; once it hears of it
    again, it fires with the start it had before (seen with 0.25). A time of its own would tell, but what such a source
    gives is the start: then it is told by how long after the end it arrived.
    """
    says_when = word.event_at is not None and word.event_at != word.episode_at
    return end.is_over and not says_when and word.heard_at - end.heard_at > BACK_AFTER


def silence(word: Word, end: Word) -> timedelta:
    """How long it was over, from an end to the next firing: by the source's clock when that gives both."""
    begun = word.episode_at or word.event_at
    if begun and end.event_at and begun > end.event_at:
        return begun - end.event_at
    return word.heard_at - end.heard_at


def _credible(moment: datetime, arrived: datetime) -> datetime | None:
    return moment if EARLIEST <= moment <= arrived + AHEAD else None
