"""What does a provider's word, or its silence, make of a notification?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pagerpal_common.vocabulary import Channel
from pagerpal_common.vocabulary import NotificationStatus as S

from pagerpal_notifier.domain.lifecycle import check_move
from pagerpal_notifier.domain.page import Claim, Lost, Member, Unsendable

TRIES = 10
"""How often a provider is asked; as often again after a person's retry. With the backoff and the deadline below this
ends within 15 minutes."""

DEADLINE = timedelta(seconds=20)
"""How long a claimed notification is left alone. After that its sender must be dead, and it is sent again."""

SEND_SECONDS = 4.0
"""From the claim to the end of the provider call. Less than the 5 s in which a page may still arrive after an
acknowledgement (docs/guarantees.md, G5), and far less than the deadline."""

BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (2, 4, 8, 16, 32, 60))
"""How long to wait after the first, second, … try; the last holds for all that follow."""

JITTER = 0.2
"""Up to this part of a wait is added, so that what failed together does not come back together."""


UNWANTED = "no longer wanted"
"""What the log says of a page that somebody has answered before it went."""

IN_DOUBT = "; whether an earlier try went is not known"
"""What the log adds to the end of a notification that its provider may have."""


class Verdict(StrEnum):
    """What a try at a provider came to."""

    ACCEPTED = "accepted"  # the provider has it
    DEFERRED = "deferred"  # definitely not taken, but it may be when asked again
    REFUSED = "refused"  # definitely not taken, and asking again will not help
    UNKNOWN = "unknown"  # it may or may not have it


@dataclass(frozen=True)
class Outcome:
    """One try's verdict. `detail` is stored and shown: no phone numbers, no addresses."""

    verdict: Verdict
    detail: str
    wait: timedelta = timedelta(0)
    """The least time to wait, where the provider asks for it."""
    is_outage: bool = False
    """This says something of the provider, and nothing of the message: it is away, silent or failing, or does not
    let us in."""
    is_locked_out: bool = False
    """It does not let us in: whatever else is sent hears the same, until somebody has mended that."""
    has_ended: bool = False
    """The address itself is over: whatever is sent there hears the same, for ever."""


@dataclass(frozen=True)
class Change:
    """What a notification becomes. Without a due time it is settled."""

    status: S
    due_at: datetime | None
    error: str | None
    delivered_at: datetime | None = None
    watch_at: datetime | None = None
    """When the provider is asked what has become of it, if nothing is heard of it before."""


_BECOMES: Mapping[Verdict, S] = {
    Verdict.ACCEPTED: S.SENT,
    Verdict.DEFERRED: S.QUEUED,
    Verdict.REFUSED: S.FAILED,
    Verdict.UNKNOWN: S.SENDING,
}


_ADDRESSES: Mapping[Channel, str] = {
    Channel.SMS: "phone number",
    Channel.VOICE: "phone number",
    Channel.EMAIL: "mail address",
    Channel.WEBHOOK: "webhook",
    Channel.SLACK: "chat webhook",
    Channel.APPRISE: "messenger",
    Channel.WEB_PUSH: "browser",
}


def after_send(
    outcome: Outcome, *, tries: int, attempt_id: UUID, now: datetime, watch_at: datetime | None = None
) -> Change:
    """What becomes of a notification under way, after so many tries.

    Args:
        watch_at: when to ask the provider for it, once that has taken it.
    """
    status = _BECOMES[outcome.verdict]
    change = Change(status, None, None if status is S.SENT else outcome.detail)
    if status is S.SENT:
        change = replace(change, watch_at=watch_at)
    if status in {S.QUEUED, S.SENDING}:
        if tries >= TRIES:
            doubt = ", and it may have gone" if status is S.SENDING else ""
            change = Change(S.EXHAUSTED, None, f"given up after {tries} tries{doubt}: {outcome.detail}")
        else:
            change = Change(status, now + max(outcome.wait, _backoff(tries, attempt_id)), outcome.detail)
    check_move(S.SENDING, change.status)
    return change


def after_message(outcome: Outcome, claim: Claim, *, now: datetime, watch_at: datetime | None = None) -> list[Change]:
    """What becomes of all that a message tells of, in order. What is to be tried again is so together: the same
    message goes again with the same notifications.

    Args:
        watch_at: as of `after_send`.
    """
    rows: tuple[Claim | Member, ...] = (claim, *claim.others)
    changes = [
        after_send(outcome, tries=row.tries, attempt_id=claim.attempt_id, now=now, watch_at=watch_at) for row in rows
    ]
    latest = max((change.due_at for change in changes if change.due_at is not None), default=None)
    return [change if change.due_at is None else replace(change, due_at=latest) for change in changes]


def without_send(row: Unsendable) -> Change:
    """What becomes of a notification that is due and may not be sent: an end, with its reason."""
    doubt = IN_DOUBT if row.status is S.SENDING else ""
    if not row.is_wanted:
        change = Change(S.CANCELLED, None, f"{UNWANTED}{doubt}")
    elif row.tries >= TRIES:
        change = Change(S.EXHAUSTED, None, f"given up after {row.tries} tries{doubt}")
    elif not row.is_active:
        change = Change(S.FAILED, None, f"the person is deactivated or gone{doubt}")
    elif row.contact_method_id is not None:
        gone = f"contact method {row.contact_method_id} is gone, or not verified any more"
        change = Change(S.FAILED, None, f"{gone}{doubt}")
    else:
        change = Change(S.FAILED, None, f"the person has no {_ADDRESSES[row.channel]} any more{doubt}")
    check_move(row.status, change.status)
    return change


def after_retry(row: Lost) -> S | None:
    """What becomes of a lost notification that a person wants tried again; None when it stays as it is.

    Nobody is paged for what is acknowledged, resolved or in another run by now, nor by a way that leads nowhere.
    """
    if not (row.is_wanted and row.is_active and row.has_address):
        return None
    status = S.SENDING if row.is_in_doubt else S.QUEUED
    check_move(row.status, status)
    return status


def _backoff(tries: int, attempt_id: UUID) -> timedelta:
    """The wait after this many tries. The id's random bits are the jitter's draw."""
    draw = (attempt_id.int & 0xFFFF) / 0x10000
    return BACKOFF[min(tries, len(BACKOFF)) - 1] * (1 + JITTER * draw)
