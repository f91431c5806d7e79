"""Which URLs of an SNS message may be fetched? Only those that Amazon's own host for its topic would give.

Nothing is matched against the URL as text: it is taken apart, each part is compared with the one value it may have,
and what is fetched is put together anew from these values. So no two readings of one URL can differ.
"""

import re
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from pagerpal_common.errors import Forbidden, Invalid

from pagerpal_ingest.domain.arn import parse_topic, sns_host
from pagerpal_ingest.domain.sns import SnsMessage

URL_LIMIT = 4096
"""Characters."""

# `urlsplit` drops line ends and trims blanks, and other readers take a backslash for a slash: such URLs are not read.
_PRINTABLE = re.compile(r"[!-\[\]-~]+")

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,2048}")

# A query here once let the SNS API itself serve the attacker's certificate, from the right host.
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{32}\.pem")


def confirmation_url(message: SnsMessage) -> str:
    """Where the subscription that a message offers is confirmed.

    Raises:
        Invalid: its SubscribeURL is not the confirmation of its own topic, by the topic's own host.
    """
    topic = parse_topic(message.topic_arn)
    if topic is None:
        raise Invalid("TopicArn is not the ARN of an SNS topic")
    host = sns_host(topic)
    parts = _split(message.subscribe_url)
    if parts is None or not _is_at(parts, host) or parts.path != "/":
        raise Invalid(f"SubscribeURL must be an https URL of the topic's own SNS host, {host}")
    query = _query(parts.query)
    token = query.get("Token", "")
    if query.get("Action") != "ConfirmSubscription" or query.get("TopicArn") != message.topic_arn:
        raise Invalid("SubscribeURL must be the confirmation of this TopicArn's subscription")
    if not _TOKEN.fullmatch(token):
        raise Invalid("SubscribeURL must carry a Token")
    return f"https://{host}/?Action=ConfirmSubscription&TopicArn={quote(query['TopicArn'], safe=':')}&Token={token}"


def certificate_url(message: SnsMessage) -> str:
    """Where the certificate is that a message says it is signed with.

    Raises:
        Forbidden: it is not where Amazon keeps those of the message's topic: the signature proves nothing.
    """
    topic = parse_topic(message.topic_arn)
    if topic is None:
        raise Forbidden("a signed message must name its SNS topic")
    host = sns_host(topic)
    parts = _split(message.signing_cert_url)
    if parts is None or not _is_at(parts, host) or not _CERTIFICATE.fullmatch(parts.path):
        raise Forbidden(f"SigningCertURL must be a certificate of the topic's own SNS host, {host}")
    if parts.query or "?" in (message.signing_cert_url or ""):
        raise Forbidden("SigningCertURL must not have a query")
    return f"https://{host}{parts.path}"


def _split(url: str | None) -> SplitResult | None:
    if not url or len(url) > URL_LIMIT or not _PRINTABLE.fullmatch(url) or "#" in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return None


def _is_at(parts: SplitResult, host: str) -> bool:
    """Compared whole: user, other port, trailing dot and %-escape all make it another one."""
    return parts.scheme == "https" and parts.netloc.lower() in {host, f"{host}:443"}


def _query(text: str) -> dict[str, str]:
    """The fields; none when one is there twice, or they cannot be read."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=10)
    except ValueError:
        return {}
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}
