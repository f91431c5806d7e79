"""What does a webhook's document say? Version 1; fields are added without a new version, and ought to be passed over
by whoever does not know them."""

import json
from typing import Any

from pagerpal_notifier.domain.page import Claim, Digest, Notice
from pagerpal_notifier.domain.text import chain_of, description_of, link_to, next_of, title_of

VERSION = 1


def webhook_body(claim: Claim, public_url: str | None) -> bytes:
    """The same bytes for every try of one delivery."""
    return json.dumps(_document(claim, public_url), ensure_ascii=False, separators=(",", ":")).encode()


def _document(claim: Claim, public_url: str | None) -> dict[str, Any]:
    page = claim.page
    if isinstance(page, Notice):
        return {"version": VERSION, "type": "notice", "delivery_id": str(claim.attempt_id), "text": page.text}
    if isinstance(page, Digest):
        raise TypeError("pages to a webhook are not merged")  # domain/budget.py: it has no budget
    return {
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
        "reasons": chain_of(page),
        "next": next_of(page),
    }
