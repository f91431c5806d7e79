"""What does a notification on somebody's device say? As JSON, for our own worker (`static/push-worker.js` of web).

| field   | says                                                                                              |
|---------|---------------------------------------------------------------------------------------------------|
| `title` | the first line of what is shown                                                                   |
| `body`  | what is below it                                                                                  |
| `path`  | where a tap leads, on PagerPal itself                                                             |
| `ack`   | where "Acknowledge" leads, likewise: the person's own one-tap link                                |
| `tag`   | what shows the same: it takes the other's place, with a sound                                     |
| `code`  | the code that proves a contact method: a page that waits for it takes it from there               |

A device reads no markup in these, and makes no links of them.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from pagerpal_notifier.domain.page import Digest, Notice, Page, Words
from pagerpal_notifier.domain.text import (
    cut,
    heading_of,
    listed,
    more_of,
    next_of,
    standing_of,
    title_of,
)

LONGEST_TITLE = 250
LONGEST_NEXT = 150
"""Characters. With our own words and the link that is below 3,000 bytes, of which a push service takes 3,993, even
where each character takes four."""

NAMED = 4
"""Incidents of a digest."""


def topic_of(words: Words) -> str | None:
    """What the push service keeps one message of, of all that wait for a device that is off: the last one. RFC 8030,
    5.4: 32 characters of Base64 for URLs at most. Nothing takes the place of a digest, which names what no other does.
    """
    return f"incident-{words.incident_id}" if isinstance(words, Page) else None


def notification(words: Words) -> bytes:
    """What the worker is given."""
    return json.dumps(_document(words), ensure_ascii=False, separators=(",", ":")).encode()


def _document(words: Words) -> dict[str, Any]:
    match words:
        case Notice():
            code = {} if words.code is None else {"code": words.code}
            return {"title": words.subject, "body": words.text, "path": "/profile", "tag": "notice", **code}
        case Digest():
            named = [listed(page) for page in words.pages[:NAMED]]
            lines = [*named, more_of(words, len(named))]
            return {"title": heading_of(words), "body": _lines(lines), "path": "/incidents"}
        case Page():
            ack = {} if words.ack_link is None else {"ack": urlsplit(words.ack_link).path}
            return {
                "title": f"{words.severity.upper()} #{words.incident_id}: {cut(title_of(words), LONGEST_TITLE)}",
                "body": standing_of(words, cut(next_of(words) or "", LONGEST_NEXT)),
                "path": f"/incidents/{words.incident_id}",
                "tag": f"incident-{words.incident_id}",
                **ack,
            }


def _lines(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line)
