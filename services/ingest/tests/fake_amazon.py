"""Amazon's part in the tests of SNS: a signing key with its certificate, and the URLs at which SNS answers."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pagerpal_common.errors import Unavailable
from pagerpal_ingest.amazon import Fetched

from services.ingest.tests.conftest import START

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
OTHER_TOPIC = "arn:aws:sns:eu-west-1:123456789012:others"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
TOKEN = "2336412f37fb687f5d51e6e241d59b68c9e583a5aba"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"

# By type: the fields that are signed, in their order, as the developer guide lists them.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}


@cache
def signing_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def other_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    name: str = "sns.amazonaws.com",
    key: Callable[[], RSAPrivateKey] = signing_key,
    *,
    days: int = 365,
    address: str = "192.0.2.1",
) -> bytes:
    """A self-made certificate for this name and address, good for so many days from the day before the tests."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(START - timedelta(days=1))
        .not_valid_after(START + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key(), SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def notification(message: object = "disk full", **fields: Any) -> dict[str, Any]:
    """What SNS posts for a message, unsigned."""
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "My First Message",
        "Message": message,
        "Timestamp": "2026-05-21T11:59:59.000Z",
    }
    return {**envelope, **fields}


def confirmation(kind: str = "SubscriptionConfirmation", **fields: Any) -> dict[str, Any]:
    """What SNS posts when somebody subscribes or unsubscribes the endpoint, unsigned."""
    envelope = {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": TOKEN,
        "TopicArn": TOPIC,
        "Message": f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL.",
        "SubscribeURL": CONFIRM,
        "Timestamp": "2026-05-21T11:59:59.000Z",
    }
    return {**envelope, **fields}


def signed(
    envelope: dict[str, Any], version: str = "1", key: Callable[[], RSAPrivateKey] = signing_key
) -> dict[str, Any]:
    """The same, signed as SNS does."""
    names = [name for name in SIGNED[envelope["Type"]] if name in envelope]
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names)
    signature = key().sign(text.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())
    return {
        **envelope,
        "SignatureVersion": version,
        "Signature": b64encode(signature).decode(),
        "SigningCertURL": CERTIFICATE,
    }


@dataclass
class FakeAmazon:
    """Answers at its URLs, remembers what was fetched, and may be away or slow."""

    answers: dict[str, Fetched] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    is_away: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.answers.setdefault(CERTIFICATE, Fetched(200, certificate()))
        self.answers.setdefault(CONFIRM, Fetched(200, b"<ConfirmSubscriptionResponse/>"))

    async def fetch(self, url: str) -> Fetched:
        self.fetched.append(url)
        await self.gate.wait()
        if self.is_away:
            raise Unavailable("no answer from Amazon")
        return self.answers.get(url, Fetched(404, b""))
