"""How may somebody acknowledge with one tap? By a link of their own, which says for whom, what, and until when.

Whoever has the link is taken at its word, so it is signed: with a key of this purpose alone, derived from the secret
key, which web and the notifier are both given. It is short, as it has to fit into an SMS: numbers of seven bits to a
byte, and 128 bits of HMAC-SHA256 (RFC 2104 §5: no less than half the hash, nor than 80 bits).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PREFIX = "/a/"
"""What the path of such a link begins with; the token is the rest."""

HOLDS = timedelta(hours=24)

_PURPOSE = b"pagerpal acknowledge link"
_SIGNATURE_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{24,80}")
_FIELDS = 4
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class AckLink:
    """What a link says."""

    incident_id: int
    user_id: int
    """Who acknowledges with it."""
    escalation_id: int
    """The run that paged them: of a later one the link says nothing."""
    expires_at: datetime

    def is_over(self, at: datetime) -> bool:
        """Whether it holds no longer."""
        return at >= self.expires_at


def ack_key(secret: bytes) -> bytes:
    """The key that links are signed with: of no use for anything else, and tells nothing of the secret key."""
    return hmac.digest(secret, _PURPOSE, hashlib.sha256)


def ack_link(public_url: str, key: bytes, incident_id: int, user_id: int, escalation_id: int, now: datetime) -> str:
    """The address that this person can acknowledge this incident at, for a day.

    Args:
        public_url: where browsers find PagerPal, without a slash at its end.
        key: of `ack_key`.
    """
    until = now + HOLDS
    return f"{public_url}{PREFIX}{sign(AckLink(incident_id, user_id, escalation_id, until), key)}"


def sign(link: AckLink, key: bytes) -> str:
    """The token that says this."""
    numbers = (link.incident_id, link.user_id, link.escalation_id, int(link.expires_at.timestamp()))
    content = b"".join(_packed(number) for number in numbers)
    return _encoded(content + _signature(content, key))


def read(token: str, keys: Sequence[bytes]) -> AckLink | None:
    """What a token says that was signed with one of these keys, be it over or not; None when it was not."""
    if not _TOKEN.fullmatch(token):
        return None
    try:
        signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error:
        return None
    if _encoded(signed) != token:  # the last letter may have bits that nothing looks at
        return None
    content, signature = signed[:-_SIGNATURE_BYTES], signed[-_SIGNATURE_BYTES:]
    matches = [hmac.compare_digest(signature, _signature(content, key)) for key in keys]
    numbers = list(_unpacked(content)) if any(matches) else []
    if len(numbers) != _FIELDS:
        return None
    incident_id, user_id, escalation_id, expires_at = numbers
    return AckLink(incident_id, user_id, escalation_id, datetime.fromtimestamp(expires_at, UTC))


def _encoded(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def _signature(content: bytes, key: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)[:_SIGNATURE_BYTES]


def _packed(number: int) -> bytes:
    """Seven bits to a byte, the lowest first; the last byte has its highest bit clear (LEB128).

    Raises:
        ValueError: no column of the database holds it.
    """
    if not 0 <= number <= _LARGEST:
        raise ValueError("an id is a positive number of 63 bits")
    packed = bytearray()
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def _unpacked(content: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in content:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            yield number
            number = shift = 0
