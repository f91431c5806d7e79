"""What does a page say? The words for each channel.

Titles come from monitoring systems, and whoever can reach those can write them: so no link but our own, nothing that
hides or reorders text, and no more than two SMS segments (security rule S30).
"""

import re
import unicodedata
from collections.abc import Callable

from pagerpal_common.vocabulary import Severity

from pagerpal_notifier.domain.page import Page

# Two concatenated segments hold 2 x 153 septets, or 2 x 67 UTF-16 units, once each has its header (3GPP TS 23.040,
# 9.2.3.24.1). One less, for a two-unit character that would straddle the border and is moved behind it.
GSM7_LIMIT = 305
UCS2_LIMIT = 133
# The default alphabet and its extension table, whose characters take two septets (3GPP TS 23.038, 6.2.1).
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("^{}\\[~]|€")
# One typographic mark would more than halve the room: written as typewriters did.
_PLAIN = str.maketrans(
    {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-", 0x2026: "...", 0x00A0: " "}
)

# What Unicode's general categories are shown as; all others as they are.
_AS_SHOWN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "", "Co": "", "Cn": ""}

# The scheme's length is bounded, or a long word would be searched from each of its letters to its end.
_LINK = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]{0,30}://|\bwww\.|\b(?:mailto|tel|sms|javascript|data):)\S*")
LINK_REMOVED = "[link removed]"

LEAST_TITLE = 40
"""Room that an SMS keeps for the title: our link gives way, as the incident's number is there without it."""

LONGEST_SUBJECT_TITLE = 150
LONGEST_DESCRIPTION = 4000
LONGEST_SPOKEN_TITLE = 300
"""Said twice, with our own words, this stays below the 1,400 characters of Infobip's voice API."""


def sms_text(page: Page, public_url: str | None) -> str:
    """Two segments at most, whatever the title."""
    if page.notice is not None:
        return page.notice.text
    head = f"{page.severity.upper()} #{page.incident_id}: "
    title = _title(page).translate(_PLAIN)
    link = _link(page, public_url)
    tail = f"\n{link}" if link else ""
    whole = head + title + tail
    limit, cost = _room(whole)
    if cost(whole) <= limit:
        return whole
    if cost(f"{head}...{tail}") + LEAST_TITLE > limit:
        tail = ""
    # Cutting only drops characters, so what is left fits the alphabet of the whole.
    while title and cost(f"{head}{title}...{tail}") > limit:
        title = title[:-1]
    return f"{head}{title.rstrip()}...{tail}"


def mail_subject(page: Page) -> str:
    """One line."""
    if page.notice is not None:
        return page.notice.subject
    return f"[{page.severity.upper()}] {_cut(_title(page), LONGEST_SUBJECT_TITLE)} (#{page.incident_id})"


def mail_body(page: Page, public_url: str | None) -> str:
    """Plain text: what is wrong, where to answer, and why this person."""
    if page.notice is not None:
        return f"{page.notice.text}\n"
    link = _link(page, public_url)
    parts = [
        f"{page.severity.capitalize()} incident #{page.incident_id}: {_title(page)}",
        _cut(_without_links(_lines(page.description)), LONGEST_DESCRIPTION),
        f"Acknowledge it: {link}" if link else "Acknowledge it in PagerPal.",
        "\n".join(("You are paged because of:", *(f"- {_without_links(one_line(why))}" for why in page.reason))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def spoken_text(page: Page) -> str:
    """What the voice says, twice: whoever picks up at night misses the first half.

    No markup and no rows of punctuation: Infobip reads SSML, and takes each comma for half a second of silence.
    """
    if page.notice is not None:
        return page.notice.spoken
    title = re.sub(r"([^\w\s])(?:\s*\1)+", r"\1", re.sub(r"[<>&]", " ", _title(page)))
    said = f"{_SPOKEN[page.severity]} incident number {page.incident_id}: {_cut(title, LONGEST_SPOKEN_TITLE)}."
    return f"This is PagerPal. {said} I repeat. {said} Please acknowledge it in PagerPal."


_SPOKEN = {Severity.CRITICAL: "Critical", Severity.WARNING: "Warning,", Severity.INFO: "Informational"}


def one_line(text: str) -> str:
    """The text on one line: no control characters, nothing invisible, no marks that reorder it."""
    return " ".join(_visible(text).split())


def _title(page: Page) -> str:
    return _without_links(one_line(page.title)) or "(no title)"


def _lines(text: str) -> str:
    return "\n".join(one_line(line) for line in text.splitlines()).strip()


def _visible(text: str) -> str:
    """Controls and separators become spaces; format marks (bidi, zero width), surrogates and the unassigned go."""
    return "".join(_AS_SHOWN.get(unicodedata.category(character), character) for character in text)


def _without_links(text: str) -> str:
    return _LINK.sub(LINK_REMOVED, text)


def _link(page: Page, public_url: str | None) -> str | None:
    return f"{public_url}/incidents/{page.incident_id}" if public_url else None


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."


def _room(text: str) -> tuple[int, Callable[[str], int]]:
    """How much two segments hold in the alphabet that this text needs, and what a text takes of it."""
    if all(character in _GSM7 or character in _GSM7_EXTENSION for character in text):
        return GSM7_LIMIT, _septets
    return UCS2_LIMIT, _utf16_units


def _septets(text: str) -> int:
    return len(text) + sum(character in _GSM7_EXTENSION for character in text)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
