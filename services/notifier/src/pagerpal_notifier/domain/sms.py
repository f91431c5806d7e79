"""What does an SMS say, in two segments at most? (security rule S30)"""

import unicodedata
from collections.abc import Callable
from itertools import product

from pagerpal_notifier.domain.page import Digest, Notice, Page, Words
from pagerpal_notifier.domain.text import (
    answer_link,
    cut,
    delay_of,
    heading_of,
    list_link,
    more_of,
    next_of,
    title_of,
)

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

LEAST_TITLE = 40
"""Room that is kept for the title: first our link gives way to it, then who is next. The incident's number and how to
answer are always there."""

LONGEST_NEXT = 30


LISTED_TITLE = 40
"""Of an incident among others: so that a few are named."""

SHORTEST_TITLE = 10
"""Where not even one would be: of what takes two units a character, as letters for mathematics do."""


def sms_text(words: Words, public_url: str | None) -> str:
    """What fits into two segments, whatever it is that is to be said."""
    match words:
        case Notice():
            return words.text
        case Digest():
            return _digest_text(words, public_url)
        case Page():
            return _page_text(words, public_url)


def _digest_text(digest: Digest, public_url: str | None) -> str:
    """How bad, how many; then as many of them as fit, how many more, and how to answer by web, or else by SMS."""
    answer = list_link(public_url) or "Reply ack and a number"
    for longest, where in product((LISTED_TITLE, SHORTEST_TITLE), (answer, "")):
        lines = [f"#{page.incident_id} {cut(title_of(page).translate(_PLAIN), longest)}" for page in digest.pages]
        for named in range(len(lines), 0, -1):
            parts = [heading_of(digest), *lines[:named], more_of(digest, named), where]
            text = "\n".join(part for part in parts if part)
            limit, cost = _room(text)
            if cost(text) <= limit:
                return text
    return heading_of(digest)


def _page_text(page: Page, public_url: str | None) -> str:
    """How bad, which incident, at which level, what; then who is next, how to answer by SMS, and where by web.

    A repeat says so: of the very same text the flooding filter takes six in an hour.
    """
    standing = [f"L{page.level}"] if page.level else []
    standing += [f"pass {page.pass_number}"] if page.pass_number > 1 else []
    standing += [delay_of(page.delayed)] if page.delayed else []
    head = f"{page.severity.upper()} #{page.incident_id}{' ' if standing else ''}{', '.join(standing)}: "
    title = title_of(page).translate(_PLAIN)[:GSM7_LIMIT]  # a character takes one unit at least
    next_up = next_of(page)
    following = f"\nNext: {cut(next_up.translate(_PLAIN), LONGEST_NEXT)}" if next_up else ""
    reply = f"\nReply ack {page.incident_id}"
    link = answer_link(page, public_url)
    where = f"\n{link}" if link else ""
    limit, cost = _room(head + title + following + reply + where)
    for tail in (following + reply + where, following + reply, reply):
        least = min(cost(title), LEAST_TITLE)
        if cost(f"{head}...{tail}") + least <= limit:
            break
    if cost(head + title + tail) <= limit:
        return head + title + tail
    return f"{head}{_shortened(title, lambda kept: cost(f'{head}{kept}...{tail}') <= limit)}...{tail}"


def _shortened(title: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning that fits and does not part a letter from its marks. Cutting only drops characters, so
    what is left fits the alphabet of the whole."""
    kept = len(title)
    while kept and not (fits(title[:kept]) and not _is_mark(title[kept : kept + 1])):
        kept -= 1
    return title[:kept].rstrip()


def _is_mark(character: str) -> bool:
    """An accent, or the like, that belongs to the letter before it."""
    return bool(character) and unicodedata.category(character).startswith("M")


def _room(text: str) -> tuple[int, Callable[[str], int]]:
    """How much two segments hold in the alphabet that this text needs, and what a text takes of it."""
    if all(character in _GSM7 or character in _GSM7_EXTENSION for character in text):
        return GSM7_LIMIT, _septets
    return UCS2_LIMIT, _utf16_units


def _septets(text: str) -> int:
    return len(text) + sum(character in _GSM7_EXTENSION for character in text)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
