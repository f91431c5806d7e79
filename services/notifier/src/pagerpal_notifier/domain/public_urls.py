"""May a page be posted to this URL?

It is judged by its parts, and then by every address that its name resolves to (`pagerpal_common.public_internet`): a
name may be made to resolve to anything.
"""

from collections.abc import Set
from urllib.parse import urlsplit

LONGEST_URL = 2000


def problem_of_url(url: str, *, schemes: Set[str]) -> str | None:
    """Why nothing is posted there, in words that do not quote the URL; None when something may be."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is not a URL"
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(' <>"\\^`{|}')
    if not is_plain or len(url) > LONGEST_URL:
        return "it is not a URL, or too long"
    if parts.scheme not in schemes:
        return f"it does not begin with {' or '.join(sorted(f'{scheme}://' for scheme in schemes))}"
    if parts.username is not None or parts.password is not None:
        return "it holds a user or a password"
    if not host or port == 0:
        return "it names no host, or no port"
    return None
