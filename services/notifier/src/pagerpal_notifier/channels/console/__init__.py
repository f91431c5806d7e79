"""Channels without a provider: the developer's console, and in production an honest refusal."""

import sys
from dataclasses import replace

from pagerpal_common.vocabulary import Channel

from pagerpal_notifier.channels import Provider
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.domain.privacy import mask
from pagerpal_notifier.domain.sms import sms_text
from pagerpal_notifier.domain.text import spoken_text


def console(public_url: str | None) -> Provider:
    """Prints each page to standard output, where whoever tries PagerPal out sees it."""

    async def send(claim: Claim) -> Outcome:
        words = claim.page
        if isinstance(words, Page):
            words = replace(words, ack_link=None)  # a console is read by many, and kept
        said = spoken_text(words) if claim.channel is Channel.VOICE else sms_text(words, public_url)
        sys.stdout.write(f"PAGE by {claim.channel} to {mask(claim.address)}: {said}\n")
        sys.stdout.flush()
        return Outcome(Verdict.ACCEPTED, "printed on the console")

    return Provider("console", send)


async def _refuse(claim: Claim) -> Outcome:
    return Outcome(Verdict.REFUSED, f"no provider is configured for {claim.channel}")


ABSENT = Provider("none", _refuse)
"""Takes nothing: the page fails with a reason that an operator can act on."""
