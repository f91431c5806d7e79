"""How is an alert shown as it was sent? To the letter where it is short of JSON; JSON one thing a line.

JSON is laid out, not written anew: order, numbers of any length and names that are given twice stay as they were sent.
"""

import json
import re
from collections.abc import Iterator

STEP = "  "
DEEPEST = 20
"""Levels that are indented: a text of opening brackets must not become a page of blanks."""

_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\)?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_KNOWN = re.compile(r'".*"|[{}\[\],:]|-?[\d.eE+-]+|true|false|null|NaN|-?Infinity', re.DOTALL)
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_OPENING, _CLOSING = "{[", "}]"


def readable(text: str, *, is_cut: bool = False) -> str:
    """The text laid out if it is JSON, or the beginning of some, and as it is otherwise; what cannot be seen, or turns
    the direction of reading, is spelled as JSON does (`\\u202e`)."""
    text = text.replace("\r\n", "\n")
    is_json = _begins_as_json(text) if is_cut else _is_json(text)
    return spelled("".join(_laid_out(text)) if is_json else text)


def message_in(text: str) -> str | None:
    """The JSON that Amazon SNS carries as a text, readable; None where there is none."""
    try:
        said = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    message = said.get("Message") if isinstance(said, dict) else None
    if not isinstance(message, str) or not message.lstrip().startswith("{") or not _is_json(message):
        return None
    return readable(message)


def spelled(text: str) -> str:
    """The text with the numbers of characters that would not be seen."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def amount(size: int) -> str:
    """So many bytes, as a person would say it."""
    if size < 1024:
        return f"{size} bytes"
    kib = size / 1024
    if kib >= 1024:
        return f"{kib / 1024:.1f} MiB"
    return f"{kib:.1f} KiB" if kib < 10 and not kib.is_integer() else f"{kib:.0f} KiB"


def _is_json(text: str) -> bool:
    """Whether it is a list or an object of JSON: nothing else is worth laying out."""
    try:
        return isinstance(_DECODER.decode(text), list | dict)
    except (ValueError, RecursionError):
        return False


def _begins_as_json(text: str) -> bool:
    """As far as can be told; what it ends in may be half of anything."""
    words = _WORD.findall(text)
    return bool(words) and words[0] in _OPENING and all(_KNOWN.fullmatch(word) for word in words[:-1])


def _laid_out(text: str) -> Iterator[str]:
    depth = 0
    before = ""
    for word in _WORD.findall(text):
        if word in _CLOSING:
            depth -= 1
            yield "" if before in _OPENING else _new_line(depth)
        elif before and (before in _OPENING or before == ","):
            yield _new_line(depth)
        depth += word in _OPENING
        yield ": " if word == ":" else _unescaped(word)
        before = word


def _new_line(depth: int) -> str:
    return "\n" + STEP * min(depth, DEEPEST)


def _unescaped(word: str) -> str:
    """A text with its letters instead of their numbers, as far as they can be shown."""
    if "\\u" not in word:
        return word
    try:
        written = json.dumps(json.loads(word), ensure_ascii=False)
        written.encode()
    except ValueError:  # half of a pair of surrogates is no letter
        return word
    return written
