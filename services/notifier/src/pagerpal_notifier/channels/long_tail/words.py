"""What does a message to a messenger say? Short, plain, and of nobody's markup, for each of them reads its own."""

from pagerpal_notifier.domain.page import Digest, Notice, Page, Words
from pagerpal_notifier.domain.text import (
    cut,
    heading_of,
    link_to,
    list_link,
    listed,
    more_of,
    next_of,
    standing_of,
    title_of,
)

LONGEST_TITLE = 300
LONGEST_NEXT = 200
"""Characters. With the link and our own words that is below the 1,024 of Pushover, which takes the least."""

NAMED = 5
"""Incidents of a digest."""

# What some messenger reads as a call for somebody or as a link's other text, and what is shown in its place. In angle
# brackets Apprise's plugin for Telegram leaves everything out.
_SHOWN = str.maketrans({"@": "(at)", "<": "\u2039", ">": "\u203a", "[": "(", "]": ")"})


def message(words: Words, public_url: str | None) -> str:
    """In a few lines, the last of which is our own link."""
    match words:
        case Notice():
            return words.text
        case Digest():
            named = [_plain(listed(page)) for page in words.pages[:NAMED]]
            lines = [heading_of(words), *named, more_of(words, len(named)), list_link(public_url)]
        case Page():
            heading = f"{words.severity.upper()} #{words.incident_id}: {cut(_plain(title_of(words)), LONGEST_TITLE)}"
            lines = [heading, standing_of(words, _next(words)), link_to(words, public_url)]
    return "\n".join(line for line in lines if line)


def _next(page: Page) -> str:
    return cut(_plain(next_of(page) or ""), LONGEST_NEXT)


def _plain(text: str) -> str:
    return text.translate(_SHOWN)
