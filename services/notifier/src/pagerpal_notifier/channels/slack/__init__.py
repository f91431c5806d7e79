"""Chat by an incoming webhook as Slack has it, and Mattermost, Rocket.Chat and others understand.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: whoever knows the URL may post, so the URL is
a secret; there is no id by which a repeat is told, so a try in doubt may be seen twice.
"""

import re

from pagerpal_common.clock import Now

from pagerpal_notifier.channels import Provider, outward
from pagerpal_notifier.channels.slack.body import slack_body
from pagerpal_notifier.domain.answers import read_http
from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.settings import NotifierSettings

_WORD = re.compile(r"[a-z_]{2,40}")


def provider(settings: NotifierSettings, _now: Now) -> Provider:
    """Posts to anywhere on the public internet, in development to anywhere at all."""
    is_guarded = settings.env == "production"

    async def send(claim: Claim) -> Outcome:
        """One message to one channel."""
        body = slack_body(claim.page, settings.public_url)
        headers = {"Content-Type": "application/json"}
        answer = await outward.post("slack", claim.address, body, headers, is_guarded=is_guarded)
        if isinstance(answer, Outcome):
            return answer
        # Slack says why in one word (channel_is_archived). Another text is anybody's, and is not kept.
        word = answer.text.strip() if _WORD.fullmatch(answer.text.strip()) else ""
        return read_http("slack", answer.status, retry_after=answer.retry_after, why=word)

    return Provider("slack", send)
