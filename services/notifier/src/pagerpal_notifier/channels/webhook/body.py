"""What does a webhook's document say? Version 1; fields are added without a new version, and ought to be passed over
by whoever does not know them."""

import json

from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.domain.text import description_of, link_to, next_of, reasons_of, title_of

VERSION = 1


def webhook_body(claim: Claim, public_url: str | None) -> bytes:
    """The same bytes for every try of one delivery."""
    page = claim.page
    if page.notice is not None:
        notice = {"version": VERSION, "type": "notice", "delivery_id": str(claim.attempt_id), "text": page.notice.text}
        return json.dumps(notice, ensure_ascii=False, separators=(",", ":")).encode()
    document = {
        "version": VERSION,
        "type": "page",
        "delivery_id": str(claim.attempt_id),
        "notification_id": claim.notification_id,
        "incident": {
            "id": page.incident_id,
            "title": title_of(page),
            "description": description_of(page),
            "severity": page.severity.value,
            "level": page.level or None,
            "url": link_to(page, public_url),
        },
        "reasons": reasons_of(page),
        "next": next_of(page),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
