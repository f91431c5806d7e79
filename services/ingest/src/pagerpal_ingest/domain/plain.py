"""What of a foreign text is kept and shown? Nothing is refused here: an alarm must not be lost over its words."""

import re
from collections.abc import Iterable
from hashlib import sha256

from pagerpal_ingest.domain.labels import EXTERNAL_ID_LIMIT, LABELS_LIMIT
from pagerpal_ingest.domain.texts import DESCRIPTION_LIMIT, TITLE_LIMIT, cut_bytes, cut_characters, shown

LABEL_LIMIT = 1024
"""Characters, of a label's name and of its value."""

# PostgreSQL stores no NUL and no half of a surrogate pair (AWS cuts texts anywhere); the other controls, and marks that
# turn the reading direction, only ever mislead whoever reads them.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without what cannot be stored or should not be shown."""
    return _UNFIT.sub("", text)


def line(text: str) -> str:
    """The text as a title: one line, stripped, cut where it is too long; empty when it shows nothing."""
    title = shown(" ".join(clean(text).split()))
    return cut_characters(title, TITLE_LIMIT)


def first_line(text: str) -> str:
    """The first line that says something; empty when none does."""
    return next((found for part in text.splitlines() if (found := line(part))), "")


def paragraphs(parts: Iterable[str | None]) -> str:
    """These texts as a description, a blank line between them, cut where it is too long."""
    text = "\n\n".join(said for part in parts if part and (said := clean(part).strip()))
    return cut_bytes(text, DESCRIPTION_LIMIT)


def identifier(text: str) -> str:
    """The text as an external id. One that is too long, or not to be stored, keeps its beginning and gets a hash of
    the whole: two that differ only at their ends stay two."""
    if len(text) <= EXTERNAL_ID_LIMIT and clean(text) == text:
        return text
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{clean(text)[: EXTERNAL_ID_LIMIT - len(digest) - 1]}#{digest}"


def labels(pairs: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """These labels, without empty ones; of a name given twice the first counts."""
    kept: dict[str, str] = {}
    for name, value in pairs:
        known = clean(name).strip()[:LABEL_LIMIT]
        if known and value and len(kept) < LABELS_LIMIT:
            kept.setdefault(known, clean(value)[:LABEL_LIMIT])
    return kept
