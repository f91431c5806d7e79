"""What does a page say? What all channels share, and what a call says; an SMS is in `sms.py`, other words with their
channel.

Titles come from monitoring systems, and whoever can reach those can write them: so no link but our own, and nothing
that hides or reorders text (security rule S30).
"""

import re
import unicodedata

from pagerpal_common.vocabulary import Severity

from pagerpal_notifier.domain.page import Page

# What Unicode's general categories are shown as; all others as they are.
_AS_SHOWN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "", "Co": "", "Cn": ""}

# The scheme's length is bounded, or a long word would be searched from each of its letters to its end.
_LINK = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]{0,30}://|\bwww\.|\b(?:mailto|tel|sms|javascript|data):)\S*")
LINK_REMOVED = "[link removed]"

LONGEST_DESCRIPTION = 4000
LONGEST_SPOKEN_TITLE = 300
"""Said twice, with our own words, this stays below the 1,400 characters of Infobip's voice API."""


def spoken_text(page: Page) -> str:
    """What the voice says, twice: whoever picks up at night misses the first half.

    No markup and no rows of punctuation: Infobip reads SSML, and takes each comma for half a second of silence.
    """
    if page.notice is not None:
        return page.notice.spoken
    title = re.sub(r"([^\w\s])(?:\s*\1)+", r"\1", re.sub(r"[<>&]", " ", title_of(page)))
    said = (
        f"{_SPOKEN[page.severity]} incident number {page.incident_id}: {cut(title, LONGEST_SPOKEN_TITLE)}. "
        "Press 1 to acknowledge, 2 to escalate."
    )
    return f"This is PagerPal. {said} I repeat. {said}"


_SPOKEN = {Severity.CRITICAL: "Critical", Severity.WARNING: "Warning,", Severity.INFO: "Informational"}


def one_line(text: str) -> str:
    """The text on one line: no control characters, nothing invisible, no marks that reorder it."""
    return " ".join(_visible(text).split())


def title_of(page: Page) -> str:
    """On one line, never empty, without links."""
    return _without_links(one_line(page.title)) or "(no title)"


def description_of(page: Page) -> str:
    """In lines, without links, and cut."""
    lines = "\n".join(one_line(line) for line in page.description.splitlines()).strip()
    return cut(_without_links(lines), LONGEST_DESCRIPTION)


def reasons_of(page: Page) -> list[str]:
    """Why this person, a line each."""
    return [_without_links(one_line(why)) for why in page.reason]


def next_of(page: Page) -> str | None:
    """Who is paged after this person, on one line and without links; None when that is not known."""
    return _without_links(one_line(page.next_up or "")) or None


def link_to(page: Page, public_url: str | None) -> str | None:
    """The one link that goes out: our own."""
    return f"{public_url}/incidents/{page.incident_id}" if public_url else None


def answer_link(page: Page, public_url: str | None) -> str | None:
    """Where the person, and nobody else, answers: with one tap, or else on the incident's page. Only for what is sent
    to the person alone."""
    return page.ack_link or link_to(page, public_url)


def cut(text: str, limit: int) -> str:
    """The text in at most so many characters, with a mark where it was longer."""
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."


def _visible(text: str) -> str:
    """Controls and separators become spaces; format marks (bidi, zero width), surrogates and the unassigned go."""
    return "".join(_AS_SHOWN.get(unicodedata.category(character), character) for character in text)


def _without_links(text: str) -> str:
    return _LINK.sub(LINK_REMOVED, text)
