"""What did we sign ourselves? The only module that may use python-jose, which by itself believes too much.

Left alone it takes the algorithm out of the token, signs with an empty key, and accepts a token without an end or an
audience (`docs/decisions/0006`). Here everything is fixed: HS256, every claim required and no other, an audience and
with it a key for each purpose, and a key's number in the header, so that keys can be changed.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jose import JWTError, jwk, jwt

ALGORITHM = "HS256"
ISSUER = "pagerpal"
SHORTEST_KEY_BYTES = 32
LONGEST_TOKEN = 512

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")
_CLAIMS = ("iss", "aud", "sub", "iat", "exp", "jti")
# jose asks the machine for the time, and we are told it: the end is checked here. To jose `require_exp` would also mean
# to compare it with the machine's clock, so that it is there is checked here, too.
_OPTIONS = {f"require_{name}": True for name in _CLAIMS if name != "exp"} | {"verify_exp": False, "verify_nbf": False}


@dataclass(frozen=True)
class Claims:
    """What a token says."""

    subject: str
    number: str
    """Its own (`jti`)."""


class Tokens:
    """Signs and reads the tokens of one purpose."""

    def __init__(self, audience: str, keys: Sequence[bytes]) -> None:
        """Sign with the first key, believe them all.

        Raises:
            ValueError: a key is too short to be one.
        """
        if not keys or any(len(key) < SHORTEST_KEY_BYTES for key in keys):
            raise ValueError(f"a signing key has at least {SHORTEST_KEY_BYTES} bytes")
        self._audience = audience
        # As a key object: a plain string is also tried as JSON, as a key set, and as a PEM.
        self._keys: Mapping[str, Any] = {_number(key): jwk.construct(key, ALGORITHM) for key in keys}
        self._current = _number(keys[0])

    def sign(self, claims: Claims, *, at: datetime, until: datetime) -> str:
        """A token that says this until then."""
        content = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": claims.subject,
            "jti": claims.number,
            "iat": int(at.timestamp()),
            "exp": int(until.timestamp()),
        }
        return jwt.encode(content, self._keys[self._current], ALGORITHM, headers={"kid": self._current})

    def read(self, token: str, *, at: datetime) -> Claims | None:
        """What a token of ours says; None when it is not ours, of another purpose, or over."""
        if len(token) > LONGEST_TOKEN or not _SHAPE.fullmatch(token):
            return None
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid")))
            if key is None or header != {"alg": ALGORITHM, "typ": "JWT", "kid": header["kid"]}:
                return None
            content = jwt.decode(
                token, key, algorithms=[ALGORITHM], audience=self._audience, issuer=ISSUER, options=_OPTIONS
            )
        except JWTError:
            return None
        is_exact = set(content) == set(_CLAIMS) and content["aud"] == self._audience and type(content["exp"]) is int
        if not is_exact or at >= datetime.fromtimestamp(content["exp"], UTC):
            return None
        return Claims(content["sub"], content["jti"])


def _number(key: bytes) -> str:
    """Tells keys apart without telling anything of them."""
    return hashlib.sha256(b"number of " + key).hexdigest()[:16]
