"""What is said to a contact method to see that it reaches its person? A code, or that this is a test."""

from uuid import UUID

from pagerpal_common.codes import CODE_LASTS
from pagerpal_common.contracts.notifications import CheckOutcome
from pagerpal_common.vocabulary import Channel

from pagerpal_notifier.domain.delivery import Verdict
from pagerpal_notifier.domain.page import Claim, Notice

_MINUTES = CODE_LASTS.seconds // 60

OUTCOMES = {
    Verdict.ACCEPTED: CheckOutcome.SENT,
    Verdict.REFUSED: CheckOutcome.REFUSED,
    Verdict.DEFERRED: CheckOutcome.UNCERTAIN,
    Verdict.UNKNOWN: CheckOutcome.UNCERTAIN,
}
"""A check is never sent again by itself: somebody sits there, and asks again."""


def code_notice(code: str) -> Notice:
    """The code, for its person to type in. It fits into one SMS."""
    said = f"Your code is {', '.join(code)}."
    return Notice(
        subject="Your PagerPal code",
        text=f"{code} is your PagerPal code, good for {_MINUTES} minutes. If you have not asked for it, ignore it.",
        spoken=f"This is PagerPal. {said} I repeat. {said}",
        code=code,
    )


def trial_notice() -> Notice:
    """Says that it is a test before anything else: whoever is woken by it may go on sleeping."""
    said = "This is a test page from PagerPal. Nothing is wrong."
    return Notice(
        subject="Test page from PagerPal: nothing is wrong",
        text=f"TEST: {said} You have asked for it. Your pages reach you here.",
        spoken=f"{said} I repeat. {said}",
    )


def as_claim(check_id: UUID, channel: Channel, address: str, notice: Notice, *, signing_secret: str | None) -> Claim:
    """As channels take it: a try of its own, of no incident."""
    return Claim(
        notification_id=0,
        incident_id=0,
        page_request_id=0,
        user_id=0,
        escalation_id=0,
        channel=channel,
        step=0,
        attempts=1,
        tries=1,
        attempt_id=check_id,
        address=address,
        page=notice,
        signing_secret=signing_secret,
    )
