"""How is an address kept out of what is stored, logged or shown?"""

import re

from pagerpal_notifier.domain.text import one_line

LONGEST_DETAIL = 300

_NUMBER = re.compile(r"\+?\d(?:[\s()./-]{0,2}\d){5,}")
_MAIL = re.compile(r"[^\s<>\"(,;:]+@[^\s<>\"'),;:]+")


def scrub(text: str) -> str:
    """A provider's words without anything that could be a phone number or a mail address, on one line and cut."""
    cut = one_line(text[: 4 * LONGEST_DETAIL])
    return _NUMBER.sub("[number]", _MAIL.sub("[address]", cut))[:LONGEST_DETAIL]


def mask(address: str) -> str:
    """Enough of an address to recognise one's own, too little to use it: `+43…67`, `a…@example.com`, `tgram://…`."""
    scheme, is_url, _ = address.partition("://")
    if is_url:  # what is behind it may be a token from its first character
        return f"{scheme}://…"
    name, at, host = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{host}"
    return f"{address[:3]}…{address[-2:]}" if len(address) > 6 else "…"
