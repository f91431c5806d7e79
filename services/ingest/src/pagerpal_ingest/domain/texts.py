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
_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TURNING = re.compile(f"[{_TURNS}]")
_UNFIT = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_TURNS}\ud800-\udfff]")
# Neither white space nor of no width, nor a letter that is drawn as nothing: the fillers of Hangul, the empty Braille.
_VISIBLE = re.compile(
    "[^\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e0fff]"
)
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
    """The same on one line of at most so many characters, whatever white space it has; empty when it shows nothing."""
    return cut_characters(shown(" ".join(text_of(value).split())), limit)


def shown(text: str) -> str:
    """The text; nothing when nobody would see anything of it. Among others, marks of no width are part of emoji, and of
    words in many scripts."""
    return text if _VISIBLE.search(text) else ""


def unturned(text: str) -> str:
    """The text without marks that turn the direction of reading."""
    return _TURNING.sub("", text)


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
