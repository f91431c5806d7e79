"""What of an SNS message may nobody see, and does a text hold one at all?

Whoever has the token or one of the addresses can confirm or end the subscription; signature and certificate prove
nothing without them. A message is found by the names of its fields, also within JSON within JSON.
"""

import re

from pagerpal_ingest.domain.plain import clean
from pagerpal_ingest.domain.secrets import MASK, without_secrets

SECRET_IN_SNS = frozenset({"signature", "signingcerturl", "subscribeurl", "token", "unsubscribeurl"})
"""Fields of an SNS message, in lower case."""

_OF_AN_ENVELOPE = re.compile("topicarn|messageid|subscribeurl|signingcerturl", re.IGNORECASE)

_BACKSLASHES = re.compile(r"\\{2,}")
"""As JSON within JSON writes one."""

_SPELLED = re.compile(r"\\u00([2-7][0-9a-f])", re.IGNORECASE)
"""JSON may spell any letter by its number."""

_NAMED = re.compile(
    rf"""(["'](?:{"|".join(sorted(SECRET_IN_SNS))})\\*["']\s*:\s*\\*["'])[^"'\\]*""",
    re.IGNORECASE,
)


def is_like_an_envelope(text: str) -> bool:
    """Whether the text has fields that only a message of SNS has, whether or not it can be read."""
    return bool(_OF_AN_ENVELOPE.search(_spelled_out(text)))


def without_credentials(text: str) -> str:
    """The text, with a mask in place of what gives power over a subscription; spelled out where that hides it."""
    if not is_like_an_envelope(text):
        return text
    masked = _masked(text)
    spelled = _spelled_out(masked)
    return masked if _masked(spelled) == spelled else _masked(spelled)


def _masked(text: str) -> str:
    return without_secrets(_NAMED.sub(rf"\1{MASK}", text), ())


def _spelled_out(text: str) -> str:
    plain = _BACKSLASHES.sub(r"\\", clean(text))
    return _SPELLED.sub(lambda found: chr(int(found[1], 16)), plain)
