"""Which alert source key does a request carry? (API reference, "Alert ingestion authentication")

Beside the places that the reference names, the password of Basic authentication: it is all that a Grafana contact
point or an address of the form `https://user:key@…` can give.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qsl

from pagerpal_common.errors import Invalid, Unauthenticated

_HEADERS = frozenset({b"x-api-key", b"x-alert-source-key"})
_QUERY = frozenset({"api_key", "token"})


def source_key(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> str:
    """The one key in a request's headers (names in lower case) and query string. Given twice over, it is still one.

    Raises:
        Unauthenticated: there is none.
        Invalid: there are several different ones: whose alert it is must not depend on which we look at first.
    """
    keys = {key for key in _given(headers, query) if key}
    if not keys:
        raise Unauthenticated("an alert source key is required; send it as X-API-Key")
    if len(keys) > 1:
        raise Invalid("the request carries several different alert source keys")
    return keys.pop()


def key_hash(key: str) -> bytes:
    """What the directory keeps of a key, and finds it by."""
    return sha256(key.encode()).digest()


def _given(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> Iterable[str]:
    for name, value in headers:
        if name in _HEADERS:
            yield value.decode("latin-1").strip()
        elif name == b"authorization":
            yield _authorized(value)
    if query:
        for field, text in parse_qsl(query.decode("latin-1")):
            if field in _QUERY:
                yield text.strip()


def _authorized(value: bytes) -> str:
    """The key of an `Authorization` header: a bearer's token, or a password (RFC 7617)."""
    scheme, _, credentials = value.strip().partition(b" ")
    match scheme.lower():
        case b"bearer":
            return credentials.decode("latin-1").strip()
        case b"basic":
            return _password(credentials)
    return ""


def _password(credentials: bytes) -> str:
    try:
        user, _, password = b64decode(credentials.strip(), validate=True).decode("latin-1").partition(":")
    except binascii.Error:
        return ""
    # `https://key@host` has no password.
    return password.strip() or user.strip()
