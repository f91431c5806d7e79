"""What does a chat message say, so that nothing of the alert calls anybody, links anywhere or looks like ours?"""

import json
import re
from typing import Any

from pagerpal_notifier.domain.page import Page
from pagerpal_notifier.domain.text import cut, description_of, link_to, next_of, reasons_of, title_of

LONGEST_HEADER = 150
"""Slack, block kit reference: a header's text."""

LONGEST_SECTION = 2900
"""Slack, block kit reference: 3,000 characters of a section's text; ours may grow by what is escaped."""

# Slack calls people by <!channel>, which escaping ends; its kin take the bare word as well.
_CALL = re.compile(r"(?i)@(?=(?:channel|here|everyone|all|group)\b)")


def slack_body(page: Page, public_url: str | None) -> bytes:
    """Blocks for Slack, and for everybody else a text that says it all."""
    if page.notice is not None:
        return json.dumps({"text": _escaped(page.notice.text)}, ensure_ascii=False).encode()
    link = link_to(page, public_url)
    heading = _quiet(f"{page.severity.upper()} #{page.incident_id}: {title_of(page)}")
    details = [_quiet(part) for part in (description_of(page), _standing(page)) if part]
    text = "\n".join([heading, *details, *([link] if link else [])])
    message = {"text": _escaped(text), "blocks": _blocks(heading, details, link)}
    return json.dumps(message, ensure_ascii=False).encode()


def _blocks(heading: str, details: list[str], link: str | None) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(cut(heading, LONGEST_HEADER))}]
    blocks += [{"type": "section", "text": _plain(cut(part, LONGEST_SECTION))} for part in details]
    if link:
        button = {"type": "button", "text": _plain("Open the incident"), "url": link, "action_id": "open_incident"}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _standing(page: Page) -> str:
    next_up = next_of(page)
    parts = [
        f"Escalation level {page.level}." if page.level else "",
        f"Next: {next_up}." if next_up else "",
        f"Paged because of: {'; '.join(reasons_of(page))}." if page.reason else "",
    ]
    return " ".join(part for part in parts if part)


def _plain(text: str) -> dict[str, Any]:
    """Text in which Slack reads no markup, and makes no pictures of `:words:`."""
    return {"type": "plain_text", "text": _escaped(text), "emoji": False}


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text: these three, and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quiet(text: str) -> str:
    return _CALL.sub("(at)", text)
