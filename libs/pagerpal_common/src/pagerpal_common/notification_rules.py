"""By which channels, and when, is a person paged? Pure: the person and the times are arguments.

The notifier and every "what would happen" answer use these same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.vocabulary import Channel


@dataclass(frozen=True)
class Rule:
    """One step of a person's notification rules: this channel, so long after the page was requested."""

    step: int
    channel: Channel
    delay: timedelta
    why: str
    """The last link of the reason chain that answers "why was I paged"."""


# The contract, `/api/v1/users/{id}/notification-rules`: what holds while a person has defined no rules.
WITH_PHONE = (
    Rule(1, Channel.SMS, timedelta(0), "default rule: SMS at once"),
    Rule(2, Channel.VOICE, timedelta(seconds=120), "default rule: call after 120 s"),
)
WITHOUT_PHONE = (Rule(1, Channel.EMAIL, timedelta(0), "default rule: mail at once, as there is no phone number"),)


LAST_RESORT = "last resort: mail, as nothing else has gone"
"""Why somebody with a phone is mailed all the same: every other way to them has definitely failed."""


@dataclass(frozen=True)
class Addressee:
    """What the rules need to know of somebody; never the addresses themselves."""

    is_active: bool
    has_phone: bool
    has_email: bool


@dataclass(frozen=True)
class Planned:
    """A notification to be written down. With a `problem` it has failed before it began, for that reason."""

    channel: Channel
    step: int
    due_at: datetime
    why: str
    problem: str | None


def plan(person: Addressee | None, *, requested_at: datetime, now: datetime) -> Sequence[Planned]:
    """The notifications that fulfil one page request: always at least one, so that no request is silently lost.

    Each is due its delay after the request. A request taken up late moves nothing into the past: what should have
    gone goes now.

    Args:
        person: None when nobody has this id any more.
    """
    rules = WITH_PHONE if person is not None and person.has_phone else WITHOUT_PHONE
    problem = _problem(person)
    return [
        Planned(rule.channel, rule.step, max(now, requested_at + rule.delay), rule.why, problem)
        for rule in (rules[:1] if problem else rules)
    ]


def _problem(person: Addressee | None) -> str | None:
    if person is None:
        return "the person is not in the directory any more"
    if not person.is_active:
        return "the person is deactivated"
    if not (person.has_phone or person.has_email):
        return "the person has neither a phone number nor a mail address"
    return None
