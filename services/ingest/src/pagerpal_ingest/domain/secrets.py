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
_NAME = rf"(?:passw(?:or)?d|token|authorization|[_-]secret|(?:{'|'.join(_KEYS)})[_ -]?key)"

_IS_A_NAME = re.compile(rf".*{_NAME}", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(rf'("[\w-]*{_NAME}"\s*:\s*")[^"\\]*(?:\\.[^"\\]*)*', re.IGNORECASE | re.DOTALL)
"""In JSON: all of the value, also of one that ends somewhere beyond."""

# A backslash is of the value where it is doubled, as JSON does, or before what JSON has no escape for; before a quote
# there are some more of them for each text of JSON in which this one lies.
_BACKSLASH = r'\\\\(?!\\{0,8}")|\\(?![\\"/bfnrtu])'
_SIGN = r"""(?:\\{0,8}["'][ ]?[=:][ ]?(?=\\{0,8}["'])|[ ]?[=:][ \t]*)(?:(?:bearer|basic|digest|token)[ ]+)?+"""
_QUOTED = rf"""(\\{{0,8}}")(?:[^"\\\r\n]|{_BACKSLASH})+|(')(?:[^'"\\\r\n]|{_BACKSLASH})+"""
_WORD = rf"""(?:[^\s"'\\<>&]|{_BACKSLASH})*(?:[^\s"'\\<>&,;.()\]}}]|{_BACKSLASH})"""
_SAID = re.compile(rf"""({_NAME}{_SIGN})(?!\\{{0,8}}["']?\[masked\])(?:{_QUOTED}|{_WORD})""", re.IGNORECASE)
"""In a sentence, after `=` or `:`: all of what is in quotes, else a word."""

_WORDS = ("passw", "token", "authorization", "secret", "key")
_SIGNS = {word: tuple(word + sign for sign in ("=", ":", " =", " :", "'", '\\"')) for word in _WORDS if word != "passw"}

_IN_A_QUERY = re.compile(r"([?&](?:[\w-]*token|api_?key|key|password|signature)=)[^&\s\"'<>\\]+", re.IGNORECASE)
_IN_AN_ADDRESS = re.compile(r"(://[^/\s:@\"'<>\\]*:)[^/\s:@\"'<>\\]+(?=@)")
"""`https://user:password@host`."""

_ESCAPED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_HIDES_ASCII = re.compile(r"\\u00[2-7]")
"""JSON may spell any letter by its number: `\\u0070p_…` is a key as well."""


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
    if _may_say_secrets(low):
        text = _SAID.sub(rf"\1\2\3{MASK}", text)
    return _IN_AN_ADDRESS.sub(rf"\1{MASK}", text) if "@" in low and "://" in low else text


def may_hold_secrets(text: str, known: Iterable[str]) -> bool:
    """Whether it is worth looking: quickly said, and never no of a text in which something is to be masked."""
    low = text.lower()
    return (
        any(word in low for word in (*_WORDS, "pp_", "whsec_", "signature=", "\\u00"))
        or ("@" in low and "://" in low)
        or any(secret in text for secret in known)
    )


def names_a_secret(name: str) -> bool:
    """Whether what stands under this name is a secret, by the name."""
    return _IS_A_NAME.fullmatch(name.strip()) is not None


def _may_name_secrets(low: str) -> bool:
    """Most texts do not, and looking for the names costs a hundred times of this."""
    if any(name in low for name in _NAMES):
        return True
    return 'key"' in low and any(f"{kind}{dash}key" in low for kind in _KEYS for dash in ("", "_", "-"))


def _may_say_secrets(low: str) -> bool:
    return "passw" in low or any(word in low and any(sign in low for sign in signs) for word, signs in _SIGNS.items())


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
