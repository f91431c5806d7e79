"""How is a sender's text made storable, and short enough to show? (reliability list, S19)

Nothing here refuses: an alert must not be lost over a text that is too long or holds what PostgreSQL cannot store.
"""

import json
import re

TITLE_LIMIT = 255
"""Characters."""

DESCRIPTION_LIMIT = 16 * 1024
"""Bytes of UTF-8."""

NOTE_LIMIT = 1024
"""Bytes of UTF-8."""

# PostgreSQL stores no NUL and no half of a surrogate pair. The other controls but tab and line end, and marks that turn
# the direction of reading, only ever mislead whoever reads them.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_END = re.compile("\r\n?")


def text_of(value: object) -> str:
    """What a value of a sender's JSON says, storable; nothing for null. Lists and objects stay JSON."""
    if isinstance(value, str):
        return _storable(value)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bool | int | float):
        return str(value).lower()
    try:
        return _storable(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return "…"


def line(value: object, limit: int = TITLE_LIMIT) -> str:
    """The same on one line of at most so many characters, whatever white space it has."""
    return cut_characters(" ".join(text_of(value).split()), limit)


def paragraphs(*parts: str) -> str:
    """The parts that say something, a blank line between them, cut to what a description may hold."""
    return cut_bytes("\n\n".join(part.strip() for part in parts if part.strip()), DESCRIPTION_LIMIT)


def cut_characters(text: str, limit: int) -> str:
    """At most so many characters; one that was cut ends in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_bytes(text: str, limit: int) -> str:
    """At most so many bytes of UTF-8; one that was cut ends in an ellipsis."""
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def _storable(text: str) -> str:
    return _UNFIT.sub("", text if "\r" not in text else _LINE_END.sub("\n", text))
