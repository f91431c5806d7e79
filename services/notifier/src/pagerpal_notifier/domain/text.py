"""What does a page say? What all channels share, and what a call says; an SMS is in `sms.py`, other words with their
channel.

Titles come from monitoring systems, and whoever can reach those can write them: so no link but our own, and nothing
that hides or reorders text (security rule S30).
"""

import re
import unicodedata
from datetime import datetime

from pagerpal_common.reasons import named
from pagerpal_common.vocabulary import Severity

from pagerpal_notifier.domain.page import Digest, Notice, Page, Words

# What Unicode's general categories are shown as; all others as they are.
_AS_SHOWN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "", "Co": "", "Cn": ""}

# The scheme's length is bounded, or a long word would be searched from each of its letters to its end.
_LINK = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]{0,30}://|\bwww\.|\b(?:mailto|tel|sms|javascript|data):)\S*")
LINK_REMOVED = "[link removed]"

LONGEST_DESCRIPTION = 4000
LONGEST_SPOKEN_TITLE = 300
"""Said twice, with our own words, this stays below the 1,400 characters of Infobip's voice API."""

SPOKEN_INCIDENTS = 3
"""Whoever is woken keeps no more in mind."""

LONGEST_LISTED_TITLE = 80
"""Of an incident among others."""


def spoken_text(words: Words) -> str:
    """What the voice says, twice: whoever picks up at night misses the first half. Of several incidents no key is
    asked for: it would be an answer to all of them."""
    match words:
        case Notice():
            return words.spoken
        case Digest():
            said = _spoken_digest(words)
        case Page():
            said = (
                f"{_SPOKEN[words.severity]} incident number {words.incident_id}: "
                f"{_spoken_title(words, LONGEST_SPOKEN_TITLE)}.{_late(words.delayed)} "
                "Press 1 to acknowledge, 2 to escalate."
            )
    return f"This is PagerPal. {said} I repeat. {said}"


def _spoken_digest(digest: Digest) -> str:
    named = digest.pages[:SPOKEN_INCIDENTS]
    one_each = " ".join(f"Number {page.incident_id}: {_spoken_title(page, LONGEST_LISTED_TITLE)}." for page in named)
    more = f" And {digest.incidents - len(named)} more." if digest.incidents > len(named) else ""
    count = "1 incident" if digest.incidents == 1 else f"{digest.incidents} incidents"
    return f"{count}, the worst {digest.severity}.{_late(digest.delayed)} {one_each}{more} See all of them in PagerPal."


def _spoken_title(page: Page, limit: int) -> str:
    """No markup and no rows of punctuation: Infobip reads SSML, and takes each comma for half a second of silence."""
    return cut(re.sub(r"([^\w\s])(?:\s*\1)+", r"\1", re.sub(r"[<>&]", " ", title_of(page))), limit)


def _late(minutes: int) -> str:
    return f" {delay_of(minutes).capitalize()}." if minutes else ""


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


def reasons_of(page: Page, *, whose: str) -> list[str]:
    """Why this person, a line each, with the names of what the chain speaks of by number.

    Args:
        whose: what is the person's own, to whoever reads it: `your` or `their`.
    """

    def clock(at: datetime) -> str:
        there = at.astimezone(page.zone)
        return f"{there:%a} {there.day} {there:%b %H:%M %Z}"

    return [_without_links(one_line(named(why, page.known, clock, whose=whose))) for why in page.reason]


def chain_of(page: Page) -> list[str]:
    """The same for a program: as it is stored, with numbers, which do not change when somebody renames something."""
    return [_without_links(one_line(why)) for why in page.reason]


def name_in_sentence(name: str) -> str:
    """Of a rotation, say: one line, and not too long."""
    return cut(one_line(name), LONGEST_LISTED_TITLE) or "(no name)"


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


def delay_of(minutes: int) -> str:
    """How a page says that it is late; nothing when it is not."""
    return f"delayed {minutes} min" if minutes else ""


def standing_of(page: Page, next_up: str | None) -> str:
    """How far it has escalated, as far as that is known, and how late this is. `next_up` is `next_of`, as the channel
    shows it."""
    parts = [
        f"Escalation level {page.level}." if page.level else "",
        f"Next: {next_up}." if next_up else "",
        f"{delay_of(page.delayed).capitalize()}." if page.delayed else "",
    ]
    return " ".join(part for part in parts if part)


def listed(page: Page) -> str:
    """An incident among others: in a line, without links."""
    return f"#{page.incident_id} {cut(title_of(page), LONGEST_LISTED_TITLE)}"


def heading_of(digest: Digest) -> str:
    """How many incidents, how bad, and how late."""
    count = "1 incident" if digest.incidents == 1 else f"{digest.incidents} incidents"
    return ", ".join(part for part in (f"{digest.severity.upper()}: {count}", delay_of(digest.delayed)) if part)


def more_of(digest: Digest, named: int) -> str:
    """How many incidents are not named; nothing when all are."""
    return f"and {digest.incidents - named} more" if digest.incidents > named else ""


def list_link(public_url: str | None) -> str | None:
    """Where all incidents are."""
    return f"{public_url}/incidents" if public_url else None


def cut(text: str, limit: int) -> str:
    """The text in at most so many characters, with a mark where it was longer."""
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."


def _visible(text: str) -> str:
    """Controls and separators become spaces; format marks (bidi, zero width), surrogates and the unassigned go."""
    return "".join(_AS_SHOWN.get(unicodedata.category(character), character) for character in text)


def _without_links(text: str) -> str:
    return _LINK.sub(LINK_REMOVED, text)
