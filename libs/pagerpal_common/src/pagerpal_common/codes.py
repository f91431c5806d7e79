"""How is a code kept that somebody is to type in? As its scrypt hash, so that reading the row does not give it away.

Six digits are soon guessed by whoever has a fast hash of them. A guess takes some 30 ms here, so the ten minutes in
which a code holds are not enough to try a million (OWASP Password Storage Cheat Sheet, "scrypt").
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

DIGITS = 6
CODE_LASTS = timedelta(minutes=10)


@dataclass(frozen=True)
class KeptCode:
    """What is stored of a code."""

    salt: bytes = field(repr=False)
    code_hash: bytes = field(repr=False)


def new_code() -> str:
    """Six digits that nobody can guess."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def kept(code: str) -> KeptCode:
    """What to store of this code. Takes some 30 ms: not for the event loop."""
    salt = secrets.token_bytes(16)
    return KeptCode(salt, _hash(code, salt))


def is_right(code: str, stored: KeptCode) -> bool:
    """Whether this is the code. Takes some 30 ms: not for the event loop."""
    return hmac.compare_digest(_hash(code, stored.salt), stored.code_hash)


def _hash(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
