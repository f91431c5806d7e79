"""What does a chat message say, so that nothing of the alert calls anybody, links anywhere or looks like ours?"""

import json
import re
from collections.abc import Sequence
from typing import Any

from pagerpal_notifier.domain.page import Digest, Notice, Page, Words
from pagerpal_notifier.domain.text import (
    cut,
    description_of,
    heading_of,
    link_to,
    list_link,
    listed,
    more_of,
    next_of,
    reasons_of,
    standing_of,
    title_of,
)

LONGEST_HEADER = 150
"""Slack, block kit reference: a header's text."""

LONGEST_SECTION = 2900
"""Slack, block kit reference: 3,000 characters of a section's text; ours may grow by what is escaped."""

# Slack calls people by <!channel>, which escaping ends; its kin take the bare word as well.
_CALL = re.compile(r"(?i)@(?=(?:channel|here|everyone|all|group)\b)")


def slack_body(words: Words, public_url: str | None) -> bytes:
    """Blocks for Slack, and for everybody else a text that says it all."""
    match words:
        case Notice():
            return json.dumps({"text": _escaped(words.text)}, ensure_ascii=False).encode()
        case Digest():
            named = "\n".join(map(listed, words.pages))
            details = [named, more_of(words, len(words.pages))]
            return _message(heading_of(words), details, list_link(public_url), "Open the incidents")
        case Page():
            heading = f"{words.severity.upper()} #{words.incident_id}: {title_of(words)}"
            details = [description_of(words), _standing(words)]
            return _message(heading, details, link_to(words, public_url), "Open the incident")


def _message(heading: str, details: Sequence[str], link: str | None, label: str) -> bytes:
    heading, details = _quiet(heading), [_quiet(part) for part in details if part]
    text = "\n".join([heading, *details, *([link] if link else [])])
    message = {"text": _escaped(text), "blocks": _blocks(heading, details, link, label)}
    return json.dumps(message, ensure_ascii=False).encode()


def _blocks(heading: str, details: Sequence[str], link: str | None, label: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(cut(heading, LONGEST_HEADER))}]
    blocks += [{"type": "section", "text": _plain(cut(part, LONGEST_SECTION))} for part in details]
    if link:
        button = {"type": "button", "text": _plain(label), "url": link, "action_id": "open_incident"}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _standing(page: Page) -> str:
    why = f"Paged because of: {'; '.join(reasons_of(page, whose='their'))}." if page.reason else ""
    return " ".join(part for part in (standing_of(page, next_of(page)), why) if part)


def _plain(text: str) -> dict[str, Any]:
    """Text in which Slack reads no markup, and makes no pictures of `:words:`."""
    return {"type": "plain_text", "text": _escaped(text), "emoji": False}


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text: these three, and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quiet(text: str) -> str:
    return _CALL.sub("(at)", text)
