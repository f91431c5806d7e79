"""A webhook of anybody's own: a signed JSON document, posted to the URL that is the person's address.

| header                | says                                                                                     |
|-----------------------|------------------------------------------------------------------------------------------|
| `X-PagerPal-Delivery` | the attempt's id: whoever has seen it has had this page, and answers 2xx again           |
| `X-PagerPal-Signature`| `t=<Unix seconds>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>` with the webhook's secret; `t` |
|                       | is the time of this try, so that an old one is told from a new one                       |

A try in doubt is repeated with the same id and the same body. Pages to one webhook come in order: the next is not
claimed while an earlier one is on its way (`storage/due.py`).
"""

import hashlib
import hmac

from pagerpal_common.clock import Now

from pagerpal_notifier.channels import Provider, outward
from pagerpal_notifier.channels.webhook.body import webhook_body
from pagerpal_notifier.domain.answers import read_http
from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.settings import NotifierSettings


def provider(settings: NotifierSettings, now: Now) -> Provider:
    """Posts to anywhere on the public internet, in development to anywhere at all."""
    is_guarded = settings.env == "production"

    async def send(claim: Claim) -> Outcome:
        """One document to one URL. Unsigned when the webhook has no secret to sign with."""
        body = webhook_body(claim, settings.public_url)
        headers = {"Content-Type": "application/json", "X-PagerPal-Delivery": str(claim.attempt_id)}
        if claim.signing_secret:
            headers["X-PagerPal-Signature"] = signature(claim.signing_secret, body, at=int(now().timestamp()))
        answer = await outward.post("webhook", claim.address, body, headers, is_guarded=is_guarded)
        if isinstance(answer, Outcome):
            return answer
        return read_http("webhook", answer.status, retry_after=answer.retry_after)

    return Provider("webhook", send)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """What the header says of a body sent `at` (Unix seconds)."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"
