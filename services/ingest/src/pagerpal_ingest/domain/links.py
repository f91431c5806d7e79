"""Which of a sender's addresses may a responder be offered to click? Only plain http and https (reliability S29)."""

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from pagerpal_common.contracts.incidents import Link

from pagerpal_ingest.domain.texts import line

HREF_LIMIT = 2048
"""Characters. A longer address is left out: cut, it would lead elsewhere."""

LINKS_LIMIT = 20
TEXT_LIMIT = 100
"""Characters."""

# Browsers read a backslash as a slash, and drop tabs and line ends within an address: what they would open is not what
# is read here.
_SUSPECT = re.compile(r"[\s\\\x00-\x20\x7f-\x9f\ud800-\udfff<>\"]")


def link(href: object, text: str, base: str = "") -> Link | None:
    """A link, or None when the address is none, or none of the web. A relative one is taken from `base`."""
    if not isinstance(href, str) or not (given := href.strip()):
        return None
    address = _absolute(given, base)
    return Link(href=address, text=line(text, TEXT_LIMIT) or "Link") if address else None


def web_address(value: object) -> str:
    """The address that relative ones are meant from; empty when it is not one."""
    return _absolute(value.strip(), "") if isinstance(value, str) else ""


def links(found: Iterable[Link | None]) -> tuple[Link, ...]:
    """The links there are, each address once."""
    by_href: dict[str, Link] = {}
    for one in found:
        if one is not None:
            by_href.setdefault(one.href, one)
    return tuple(by_href.values())[:LINKS_LIMIT]


def _absolute(given: str, base: str) -> str:
    if len(given) > HREF_LIMIT or _SUSPECT.search(given):
        return ""
    try:
        address = urljoin(base, given) if base else given
        parts = urlsplit(address)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    # Userinfo is left out: it may be a password, and it makes an address look like somebody else's.
    return address if is_web and "@" not in parts.netloc and len(address) <= HREF_LIMIT else ""
