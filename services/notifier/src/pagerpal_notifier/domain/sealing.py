"""How is a message sealed for one browser, and signed for its push service? Pure but for its random numbers.

Sealed with `aes128gcm` (RFC 8188) by keys of RFC 8291, so that the push service reads nothing of it; signed as RFC 8292
(VAPID) wants it, so that the service lets nobody else write to whoever has subscribed to us. Elliptic curves, key
derivation and ciphers are those of `cryptography`. Half a millisecond together: no work for a thread.
"""

import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pagerpal_common.web_push import Subscription

RECORD_SIZE = 4096
"""Bytes. RFC 8291, 4: one record, and no push service need take a larger one."""

OVERHEAD = 16 + 4 + 1 + 65 + 1 + 16
"""Bytes of a sealed message that are not what was sealed: salt, record size, length of the key, key; mark of the last
record, and the cipher's tag."""

SIGNED_FOR = timedelta(hours=12)
"""How long a signature holds. RFC 8292, 2: at most 24 hours; clocks of both sides may be wrong."""

KEY_BYTES = 32


def private_key(given: str) -> ec.EllipticCurvePrivateKey:
    """The key of 32 random bytes in Base64, as `openssl rand -base64 32` makes it.

    Raises:
        ValueError: it is none; the text repeats nothing of it.
    """
    text = given.replace("+", "-").replace("/", "_").rstrip("=")
    if not re.fullmatch(r"[\w-]{43}", text, re.ASCII):
        raise ValueError("it must be 32 random bytes in Base64 (try `openssl rand -base64 32`)")
    number = urlsafe_b64decode(f"{text}=")
    try:
        return ec.derive_private_key(int.from_bytes(number), ec.SECP256R1())
    except ValueError:  # nought, or beyond the order of the curve: once in 2**32
        raise ValueError("these 32 bytes are no key of P-256: take others") from None


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """What a browser is told when it subscribes (`applicationServerKey`)."""
    return encoded(_point(key))


def seal(content: bytes, to: Subscription) -> bytes:
    """The body of a request to the browser's push service. Another one each time: salt and key are never used again.

    Raises:
        ValueError: the browser's key is not on the curve, or the content too long for one record.
    """
    return sealed_with(content, to, key=ec.generate_private_key(ec.SECP256R1()), salt=os.urandom(16))


def sealed_with(content: bytes, to: Subscription, *, key: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The same with a key and a salt that are given: for the example of RFC 8291, Appendix A."""
    if len(content) + OVERHEAD > RECORD_SIZE:
        raise ValueError("too long for one record")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), to.public_key)
    ours = _point(key)
    shared = _derived(key.exchange(ec.ECDH(), theirs), to.secret, b"WebPush: info\0" + to.public_key + ours, 32)
    cipher_key = _derived(shared, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(shared, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD_SIZE.to_bytes(4) + len(ours).to_bytes(1) + ours
    return head + AESGCM(cipher_key).encrypt(nonce, content + b"\x02", None)


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, *, contact: str | None, now: datetime) -> str:
    """The header that says who writes (RFC 8292, 3).

    Args:
        key: ours.
        endpoint: the browser's.
        contact: where whoever runs the push service finds us, as a URL.
        now: the time.
    """
    where = urlsplit(endpoint)
    claims = {"aud": f"{where.scheme}://{where.netloc}", "exp": int((now + SIGNED_FOR).timestamp())}
    parts = ({"typ": "JWT", "alg": "ES256"}, claims if contact is None else {**claims, "sub": contact})
    signed = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = encoded(r.to_bytes(KEY_BYTES) + s.to_bytes(KEY_BYTES))  # RFC 7518, 3.4
    return f"vapid t={signed}.{signature}, k={public_text(key)}"


def encoded(content: bytes) -> str:
    """Base64 for URLs, without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(key)
