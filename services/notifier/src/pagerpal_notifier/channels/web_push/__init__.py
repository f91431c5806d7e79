"""Browsers that have subscribed to us, by the push services of their makers (RFC 8030, Web Push).

Where a page may go is decided in `pagerpal_common.web_push`, here and when the browser subscribes. A push service takes
no id by which a repeat is told, but a topic: of one incident a device that is off keeps the last message, and one that
is on shows the last in place of those before it. So a try in doubt goes again, and is seen once, or sounds twice.
A service says that it has a message, and not when the device has it: what it takes is sent, and no more is heard.
"""

from http import HTTPStatus

from pagerpal_common.clock import Now
from pagerpal_common.codes import CODE_LASTS
from pagerpal_common.web_push import let_through

from pagerpal_notifier.channels import Provider, outward
from pagerpal_notifier.channels.web_push.words import notification, topic_of
from pagerpal_notifier.domain.answers import read_http
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Notice
from pagerpal_notifier.domain.sealing import authorization, private_key, public_text, seal
from pagerpal_notifier.settings import NotifierSettings

NAME = "web push"

KEPT_SECONDS = 1800
"""How long a page waits for a device that is off. Later somebody else has been paged, or a reminder has (30 min)."""

ENDED = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
"""RFC 8030, 7.3 and 8.2: there is no such subscription, or no more."""


def provider(settings: NotifierSettings, now: Now) -> Provider | None:
    """Posts to push services, where there is a key to sign with."""
    if settings.web_push_key is None:
        return None
    key = private_key(settings.web_push_key.get_secret_value())
    public_url = settings.public_url
    # RFC 8292, 2.1: a mail address or an https URL.
    contact = public_url if public_url is not None and public_url.startswith("https:") else None

    async def send(claim: Claim) -> Outcome:
        """One message to one browser."""
        try:
            to = let_through(claim.address, settings.web_push)
            body = seal(notification(claim.page), to)
        except ValueError as error:
            return Outcome(Verdict.REFUSED, f"{NAME}: the browser cannot be used: {error}")
        headers = {
            "Authorization": authorization(key, to.endpoint, contact=contact, now=now()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(CODE_LASTS.seconds if isinstance(claim.page, Notice) else KEPT_SECONDS),
            "Urgency": "high",
        }
        if (topic := topic_of(claim.page)) is not None:
            headers["Topic"] = topic
        answer = await outward.post(NAME, to.endpoint, body, headers, is_guarded=settings.web_push.is_guarded)
        return answer if isinstance(answer, Outcome) else read(answer)

    return Provider("web_push", send, public_key=public_text(key))


def read(answer: outward.Answer) -> Outcome:
    """What a push service's answer means. Its text is not kept: it may repeat the subscription."""
    if answer.status in ENDED:
        return Outcome(Verdict.REFUSED, f"{NAME}: this device takes no notifications any more", has_ended=True)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        why = "the push service does not take our key for this device"
        return Outcome(Verdict.REFUSED, f"{NAME}: HTTP {answer.status}: {why}")
    return read_http(NAME, answer.status, retry_after=answer.retry_after)
