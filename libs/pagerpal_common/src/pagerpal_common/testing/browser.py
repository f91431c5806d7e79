"""A browser that has subscribed, and opens what is sent to it: step by step as RFC 8291 and RFC 8188 tell a receiver,
with HMAC for the derivation of keys, and nothing of what seals messages here."""

import hashlib
import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PUSH_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
"""Of PagerPal: that of the example of RFC 8291."""

RECORD_SIZE = 4096
"""Bytes; RFC 8291, 4."""


def decoded(text: str) -> bytes:
    """What Base64 for URLs says, without its padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(content: bytes) -> str:
    """The same the other way round."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def key_of(text: str) -> ec.EllipticCurvePrivateKey:
    """The key of P-256 that these 32 bytes are."""
    return ec.derive_private_key(int.from_bytes(decoded(text)), ec.SECP256R1())


class FakeBrowser:
    """Has subscribed at a push service."""

    def __init__(self, endpoint: str, *, key: ec.EllipticCurvePrivateKey | None = None, secret: bytes | None = None):
        self.endpoint = endpoint
        self._key = key or ec.generate_private_key(ec.SECP256R1())
        self.secret = secret or os.urandom(16)
        self.public_key = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self) -> str:
        """`JSON.stringify(subscription)`."""
        keys = {"p256dh": encoded(self.public_key), "auth": encoded(self.secret)}
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys})

    def opened(self, body: bytes) -> bytes:
        """What was sealed for it."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        theirs, record = body[21 : 21 + length], body[21 + length :]
        if size != RECORD_SIZE or len(record) > size:
            raise AssertionError(f"a record of {len(record)} bytes, where {size} is said")
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        secret = _expanded(_hmac(self.secret, shared), b"WebPush: info\0" + self.public_key + theirs, 32)
        extracted = _hmac(salt, secret)
        key = _expanded(extracted, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _expanded(extracted, b"Content-Encoding: nonce\0", 12)
        content, mark, padding = AESGCM(key).decrypt(nonce, record, None).rpartition(b"\x02")
        if not mark or padding.strip(b"\0"):
            raise AssertionError("RFC 8188, 2: this is not the last record")
        return content


@dataclass(frozen=True)
class Signed:
    """What an `Authorization` header of VAPID says, once its signature has been checked."""

    header: dict[str, str]
    claims: dict[str, object]
    key: str


def checked(authorization: str) -> Signed:
    """The header, once it is known that its key has signed it. Raises InvalidSignature otherwise."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    if scheme != "vapid":
        raise AssertionError(f"RFC 8292, 3: the scheme is vapid, and not {scheme}")
    r, s = decoded(signature)[:32], decoded(signature)[32:]
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
    signed = f"{head}.{claims}".encode()
    public.verify(encode_dss_signature(int.from_bytes(r), int.from_bytes(s)), signed, ec.ECDSA(SHA256()))
    return Signed(json.loads(decoded(head)), json.loads(decoded(claims)), parts["k"])


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)


def _expanded(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, 2.3, of one block."""
    return _hmac(key, info + b"\x01")[:length]
