"""What may a text from outside look like on a page? One line, and nothing in it that hides or reorders text (S30)."""

import re

_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def plain(text: str, otherwise: str = "(no title)") -> str:
    """One line of what can be seen; `otherwise` where that is nothing."""
    return " ".join(_INVISIBLE.sub(" ", text).split()) or otherwise


def lines(text: str) -> str:
    """The same for a text of several lines, which it keeps."""
    return "\n".join(_INVISIBLE.sub(" ", line).rstrip() for line in text.splitlines()).strip("\n")
