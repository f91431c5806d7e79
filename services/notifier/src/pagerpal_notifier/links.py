"""Which claims carry a link that acknowledges with one tap?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pagerpal_common.ack_links import ack_link

from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.settings import NotifierSettings

Link = Callable[[Claim, datetime], Claim]


def linking(settings: NotifierSettings) -> Link:
    """Adds the link to a claim, where it is known what to sign it with and where browsers find PagerPal."""
    public_url, key = settings.public_url, settings.link_key
    if public_url is None or key is None:
        return lambda claim, _now: claim

    def linked(claim: Claim, now: datetime) -> Claim:
        if not isinstance(claim.page, Page):
            return claim
        link = ack_link(public_url, key, claim.incident_id, claim.user_id, claim.escalation_id, now)
        return replace(claim, page=replace(claim.page, ack_link=link))

    return linked
