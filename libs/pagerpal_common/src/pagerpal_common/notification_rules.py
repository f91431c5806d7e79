"""By which channels, and when, is a person paged? Pure: the person and the times are arguments.

The notifier and every "what would happen" answer use these same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pagerpal_common.vocabulary import Channel, RuleSeverity, Severity


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


LAST_RESORT = {
    Channel.SMS: "last resort: SMS, as nothing else has gone",
    Channel.VOICE: "last resort: call, as nothing else has gone",
    Channel.EMAIL: "last resort: mail, as nothing else has gone",
}
"""Why somebody is paged by their own phone or mail when no rule of theirs says so: every other way to them has
definitely failed."""


@dataclass(frozen=True)
class PersonalRule:
    """A rule that a person has made."""

    rule_id: int
    severity: RuleSeverity
    delay: timedelta
    channel: Channel
    method_id: int | None = None
    """None: their own phone or mail."""
    is_proven: bool = False
    """Whether the address of that method is one that has been proven to be theirs."""


@dataclass(frozen=True)
class Addressee:
    """What the rules need to know of somebody; never the addresses themselves."""

    is_active: bool
    has_phone: bool
    has_email: bool
    rules: Sequence[PersonalRule] = ()


@dataclass(frozen=True)
class Planned:
    """A notification to be written down. With a `problem` it has failed before it began, for that reason."""

    channel: Channel
    step: int
    due_at: datetime
    why: str
    problem: str | None
    method_id: int | None = None
    """None: the person's own phone or mail."""


def plan(person: Addressee | None, *, severity: Severity, requested_at: datetime, now: datetime) -> Sequence[Planned]:
    """The notifications that fulfil one page request: always at least one, so that no request is silently lost.

    Each is due its delay after the request; one that follows a failure is due when that was. A request taken up late
    moves nothing into the past: what should have gone goes now. When no rule of the person's own is for this severity,
    or none leads anywhere, the defaults hold and say so.

    Args:
        person: None when nobody has this id any more.
        severity: of the incident.
    """
    problem = _problem(person)
    if person is None or problem is not None:
        first = _defaults(person)[0]
        return [Planned(first.channel, first.step, max(now, requested_at), first.why, problem)]
    own = _of_severity(person.rules, severity)
    planned = [_by_rule(person, step, rule, requested_at) for step, rule in enumerate(own, start=1)]
    if all(one.problem for one in planned):
        planned += _by_default(person, severity, requested_at, taken=len(planned))
    return [replace(one, due_at=max(now, one.due_at)) for one in _hastened(planned)]


def _of_severity(rules: Sequence[PersonalRule], severity: Severity) -> list[PersonalRule]:
    """Those for exactly this severity and those for any, the earliest first; what both say is done once."""
    applying = [rule for rule in rules if rule.severity in {RuleSeverity(severity), RuleSeverity.ANY}]
    applying.sort(key=lambda rule: (rule.delay, rule.severity is RuleSeverity.ANY, rule.rule_id))
    return list({(rule.delay, rule.channel, rule.method_id): rule for rule in reversed(applying)}.values())[::-1]


def _by_rule(person: Addressee, step: int, rule: PersonalRule, requested_at: datetime) -> Planned:
    why = f"rule {rule.rule_id} for {rule.severity}: {_HOW[rule.channel]} {_when(rule.delay)}"
    problem = _rule_problem(person, rule)
    return Planned(rule.channel, step, requested_at + rule.delay, why, problem, rule.method_id)


def _by_default(person: Addressee, severity: Severity, requested_at: datetime, *, taken: int) -> list[Planned]:
    """The defaults after so many rules of their own, none of which leads anywhere."""
    because = "; no rule of their own leads anywhere" if taken else f"; no rule of their own is for {severity}"
    return [
        Planned(
            rule.channel,
            taken + rule.step,
            requested_at + rule.delay,
            rule.why + (because if person.rules else ""),
            _own_problem(person, rule.channel),
        )
        for rule in _defaults(person)
    ]


def _hastened(planned: Sequence[Planned]) -> list[Planned]:
    """What follows a failure does not wait for its own time: it goes when that would have gone."""
    found: list[Planned] = []
    for one in planned:
        before = found[-1] if found and found[-1].problem else None
        found.append(one if before is None else replace(one, due_at=min(one.due_at, before.due_at)))
    return found


def _defaults(person: Addressee | None) -> Sequence[Rule]:
    return WITH_PHONE if person is not None and person.has_phone else WITHOUT_PHONE


def _problem(person: Addressee | None) -> str | None:
    if person is None:
        return "the person is not in the directory any more"
    if not person.is_active:
        return "the person is deactivated"
    if not (person.has_phone or person.has_email or any(rule.is_proven for rule in person.rules)):
        return "the person has neither a phone number nor a mail address"
    return None


def _rule_problem(person: Addressee, rule: PersonalRule) -> str | None:
    if rule.method_id is None:
        return _own_problem(person, rule.channel)
    if rule.is_proven:
        return None
    ended = ", or its browser takes no notifications any more" if rule.channel is Channel.WEB_PUSH else ""
    return f"contact method {rule.method_id} is not verified{ended}"


def _own_problem(person: Addressee, channel: Channel) -> str | None:
    if channel is Channel.EMAIL:
        return None if person.has_email else "the person has no mail address"
    return None if person.has_phone else "the person has no phone number"


def _when(delay: timedelta) -> str:
    return f"after {delay // timedelta(seconds=1)} s" if delay else "at once"


_HOW = {
    Channel.SMS: "SMS",
    Channel.VOICE: "call",
    Channel.EMAIL: "mail",
    Channel.WEBHOOK: "webhook",
    Channel.SLACK: "chat",
    Channel.APPRISE: "messenger",
    Channel.WEB_PUSH: "push notification",
}
