"""What of a sender's text is a secret? It is taken out before the text is kept, wherever it stands.

Keys of ours are known by their shape, others by their names: a sender that puts a password into its alert has not meant
everybody who may look at an incident to have it.
"""

import json
import re
from collections.abc import Iterable

MASK = "[masked]"

_OURS = re.compile(r"(?:(?<![\w-])|(?<=\\[bfnrt]))(?:pp|whsec)_[A-Za-z0-9_-]{43}(?![\w-])")
"""A source's key, a webhook's secret: also those of other sources, and of before. By itself, and not within a longer
name; in JSON a line end before it is written as a letter."""

_KEYS = ("api", "routing", "service", "integration", "access", "private", "source")
_NAMES = ("passw", 'token"', 'authorization"', '_secret"', '-secret"')

_NAME = rf"[\w-]*(?:passw(?:or)?d|token|authorization|[_-]secret|(?:{'|'.join(_KEYS)})[_-]?key)"

_IS_NAME = re.compile(_NAME, re.IGNORECASE)
_NAMED = re.compile(rf'("{_NAME}"\s*:\s*")[^"\\]*(?:\\.[^"\\]*)*', re.IGNORECASE | re.DOTALL)
"""In JSON: all of the value, also of one that ends somewhere beyond."""

_IN_A_QUERY = re.compile(r"([?&](?:[\w-]*token|api_?key|key|password|signature)=)[^&\s\"'<>\\]+", re.IGNORECASE)
_IN_AN_ADDRESS = re.compile(r"(://[^/\s:@\"'<>\\]*:)[^/\s:@\"'<>\\]+(?=@)")
"""`https://user:password@host`."""

_ESCAPED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_HIDES_ASCII = re.compile(r"\\u00[2-7]")
"""JSON may spell any letter by its number: `\\u0070p_…` is a key as well."""


def names_secret(name: str) -> bool:
    """Whether what a sender calls so is nobody's business."""
    return _IS_NAME.fullmatch(name) is not None


def without_secrets(text: str, known: Iterable[str]) -> str:
    """The text with a mask in place of what is known to be secret, and of what looks like it.

    Args:
        known: secrets of the source: its key, and what it signs with. Empty ones are none.
    """
    secrets = [secret for secret in known if secret]
    if "\\u00" in text and _HIDES_ASCII.search(text):
        text = _ESCAPED.sub(lambda found: _unhidden(found[0], secrets), text)
    text = _masked(text, secrets)
    low = text.lower()
    if _may_name_secrets(low):
        text = _NAMED.sub(rf"\1{MASK}", text)
    if "token=" in low or "key=" in low or "password=" in low or "signature=" in low:
        text = _IN_A_QUERY.sub(rf"\1{MASK}", text)
    return _IN_AN_ADDRESS.sub(rf"\1{MASK}", text) if "@" in low and "://" in low else text


def _may_name_secrets(low: str) -> bool:
    """Most texts do not, and looking for the names costs a hundred times of this."""
    if any(name in low for name in _NAMES):
        return True
    return 'key"' in low and any(f"{kind}{dash}key" in low for kind in _KEYS for dash in ("", "_", "-"))


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _OURS.sub(MASK, text) if "pp_" in text or "whsec_" in text else text


def _unhidden(token: str, secrets: Iterable[str]) -> str:
    """A text of JSON as it is, or spelled out where something is to be masked in it."""
    if not _HIDES_ASCII.search(token):
        return token
    try:
        said = str(json.loads(token, strict=False))
    except ValueError:
        return token
    masked = _masked(said, secrets)
    return token if masked == said else json.dumps(masked, ensure_ascii=False)
