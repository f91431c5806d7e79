"""Has Amazon signed this message? (SNS developer guide, "Verifying the signatures of Amazon SNS messages")

A valid signature only proves that some AWS account has published it: whose topic it is, is another question.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509.oid import NameOID
from pagerpal_common.errors import Forbidden

from pagerpal_ingest.domain.sns import Kind, SnsMessage

OLDEST = timedelta(minutes=75)
"""How old a message may be: SNS repeats one for an hour at most."""

NEWEST = timedelta(minutes=5)
"""How far ahead of our clock its own may be."""

# SHA-1 is what topics sign with unless told otherwise, so refusing it would refuse nearly everybody.
_HASHES: Mapping[str, SHA1 | SHA256] = {"1": SHA1(), "2": SHA256()}  # noqa: S303

# `sns.amazonaws.com`, `sns-signing.<region>.amazonaws.com`, `sns-cn-north-1.amazonaws.com.cn`, … (AWS SDK for Java 2,
# `SnsHostProvider.signingCertCommonName`): by region, but for every region of this form.
_MADE_OUT_TO = re.compile(r"sns(?:[.-][a-z0-9.-]+)?\.amazonaws\.(?:com|com\.cn|eu)")


@dataclass(frozen=True)
class Certificate:
    """What is needed of a signing certificate."""

    key: RSAPublicKey
    not_before: datetime
    not_after: datetime

    def is_valid(self, at: datetime) -> bool:
        """Whether it may be used at that instant."""
        return self.not_before <= at <= self.not_after


def read_certificate(pem: bytes) -> Certificate:
    """The certificate in this text.

    Raises:
        ValueError: there is none.
        Forbidden: it is not one that SNS signs with.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or not any(_MADE_OUT_TO.fullmatch(name) for name in _names(certificate)):
        raise Forbidden("the signing certificate is not one of Amazon SNS")
    return Certificate(key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def check_signature(message: SnsMessage, certificate: Certificate) -> None:
    """Returns when the holder of the certificate has signed exactly this message.

    Raises:
        Forbidden: it has not.
    """
    algorithm = _HASHES.get(message.signature_version or "")
    if algorithm is None:
        raise Forbidden("the SignatureVersion is neither 1 nor 2")
    try:
        signature = b64decode(message.signature or "", validate=True)
        certificate.key.verify(signature, string_to_sign(message), PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        raise Forbidden("the signature does not fit the message") from None


def string_to_sign(message: SnsMessage) -> bytes:
    """What is signed: these fields in this order, each by its name and value on a line of its own.

    Raises:
        Forbidden: one is missing.
    """
    fields = [("Message", message.text), ("MessageId", message.message_id)]
    if message.kind is Kind.NOTIFICATION:
        fields += [("Subject", message.subject)] if message.subject is not None else []
    else:
        fields += [("SubscribeURL", message.subscribe_url)]
    fields += [("Timestamp", message.timestamp)]
    if message.kind is not Kind.NOTIFICATION:
        fields += [("Token", message.token)]
    fields += [("TopicArn", message.topic_arn), ("Type", message.kind)]
    if any(value is None for _, value in fields):
        raise Forbidden("the signed message is not complete")
    return "".join(f"{name}\n{value}\n" for name, value in fields).encode()


def is_timely(message: SnsMessage, at: datetime) -> bool:
    """Whether its own time is one that a delivery, or a repeat of one, can have when it arrives `at`."""
    sent_at = message.sent_at
    return sent_at is not None and -NEWEST <= at - sent_at <= OLDEST


def _names(certificate: x509.Certificate) -> list[str]:
    common = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return common
    return common + extension.value.get_values_for_type(x509.DNSName)
