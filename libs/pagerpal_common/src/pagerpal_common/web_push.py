"""Which browsers may pages go to? Web asks when one subscribes, the notifier before each page.

A browser's subscription (W3C Push API) names the URL of its maker's push service, to which a message is posted, and the
keys that it is encrypted with (RFC 8291). The URL comes from whoever says that they are a browser, so it is let through
only to the push services that are known here, and to those that whoever runs PagerPal has named.

As the address of a contact method all of it is one text: `webpush+<URL>#<public key>.<secret>`. Whoever has it and our
key may write there, so it is a secret, and nobody is shown it, not even its owner: they know their device by its name.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

SERVICES = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, Opera, Samsung: chromium, push_messaging_constants.cc
    "*.push.services.mozilla.com",  # Firefox: https://mozilla-services.github.io/autopush-rs/
    "*.push.apple.com",  # Safari: https://developer.apple.com/documentation/usernotifications
    "*.notify.windows.com",  # Edge on Windows: Microsoft Learn, "Push notification service request headers"
)
"""Where push services of the makers of browsers are; `*.` stands for any names before the rest."""

LONGEST_HOSTS = 2000
"""Characters of the setting."""

LONGEST_ENDPOINT = 1000
LONGEST_SUBSCRIPTION = 2000
"""Characters of the JSON that a browser makes of it."""

PUBLIC_KEY_BYTES, SECRET_BYTES = 65, 16
"""RFC 8291: a point of P-256, not compressed, and the authentication secret."""

_PREFIX = "webpush+"
_NAME = r"[A-Za-z0-9]"
_HOST = rf"{_NAME}(?:[A-Za-z0-9.-]{{0,251}}{_NAME})?(?::[1-9][0-9]{{0,4}})?"
_ENDPOINT = re.compile(rf"(?P<scheme>https?)://(?P<host>{_HOST})/[A-Za-z0-9._~:/?&=%+,;@!$*()-]+", re.ASCII)
_ADDRESS = re.compile(
    rf"{re.escape(_PREFIX)}(?P<endpoint>[^#]+)#(?P<key>[\w-]{{87}})\.(?P<secret>[\w-]{{22}})", re.ASCII
)

NO_SUBSCRIPTION = "this is no push subscription of a browser"


@dataclass(frozen=True)
class Allowed:
    """Where messages may go beside `SERVICES`."""

    hosts: frozenset[str]
    """`host`, or `host:port` where that is not the usual one."""
    is_guarded: bool
    """Nothing goes without TLS. Development may, to the hosts above."""


@dataclass(frozen=True)
class Subscription:
    """A browser that takes messages."""

    endpoint: str = field(repr=False)
    public_key: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """As a contact method holds it."""
        return f"{_PREFIX}{self.endpoint}#{_encoded(self.public_key)}.{_encoded(self.secret)}"


class _Keys(BaseModel):
    model_config = ConfigDict(extra="ignore")

    p256dh: Annotated[str, StringConstraints(max_length=100)]
    auth: Annotated[str, StringConstraints(max_length=100)]


class _Given(BaseModel):
    """`PushSubscriptionJSON` (W3C Push API, 8)."""

    model_config = ConfigDict(extra="ignore")

    endpoint: Annotated[str, StringConstraints(max_length=LONGEST_ENDPOINT)]
    keys: _Keys


def given(text: str) -> Subscription:
    """What a browser's `JSON.stringify(subscription)` says.

    Raises:
        ValueError: it is none; the text repeats nothing of it.
    """
    try:
        parts = _Given.model_validate_json(text)
    except ValidationError:
        raise ValueError(NO_SUBSCRIPTION) from None
    return _subscription(parts.endpoint, parts.keys.p256dh, parts.keys.auth)


def let_through(address: str, allowed: Allowed) -> Subscription:
    """The subscription that an address of a contact method holds.

    Raises:
        ValueError: it is none, or leads where nothing is posted; the text says why and does not repeat it.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(NO_SUBSCRIPTION)
    subscription = _subscription(*found.group("endpoint", "key", "secret"))
    parts = _ENDPOINT.fullmatch(subscription.endpoint)
    host = _usual(parts["host"]) if parts else ""
    is_own = host in allowed.hosts
    if not (is_own or any(_is_one_of(host, name) for name in SERVICES)):
        raise ValueError("its push service is not one that pages may go to here (PAGERPAL_WEB_PUSH_HOSTS)")
    if subscription.endpoint.startswith("http:") and (allowed.is_guarded or not is_own):
        raise ValueError("its push service is not reached by TLS")
    return subscription


def hosts_of(setting: str) -> frozenset[str]:
    """The hosts of a setting.

    Raises:
        ValueError: they are not how they ought to be; the text quotes nothing of them.
    """
    hosts = frozenset(_usual(part) for part in (one.strip() for one in setting.split(",")) if part)
    if not all(re.fullmatch(_HOST, host, re.ASCII) for host in hosts):
        raise ValueError("hosts with commas between them (push.example.org, push.example.net:8443)")
    return hosts


def _checked(setting: str) -> str:
    hosts_of(setting)
    return setting


PushHosts = Annotated[str, Field(max_length=LONGEST_HOSTS), AfterValidator(_checked)]
"""`PAGERPAL_WEB_PUSH_HOSTS`, as every process that reads it checks it."""


def _subscription(endpoint: str, key: str, secret: str) -> Subscription:
    public_key, auth = _decoded(key), _decoded(secret)
    is_point = len(public_key) == PUBLIC_KEY_BYTES and public_key[0] == 4  # SEC 1, 2.3.3: not compressed
    if len(endpoint) > LONGEST_ENDPOINT or not _ENDPOINT.fullmatch(endpoint) or not is_point:
        raise ValueError(NO_SUBSCRIPTION)
    if len(auth) != SECRET_BYTES:
        raise ValueError(NO_SUBSCRIPTION)
    return Subscription(endpoint, public_key, auth)


def _decoded(text: str) -> bytes:
    """Base64 for URLs, with or without its padding; nothing of what is none."""
    plain = text.rstrip("=")
    if not re.fullmatch(r"[\w-]+", plain, re.ASCII) or len(plain) % 4 == 1:
        return b""
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _usual(host: str) -> str:
    """Without the port that TLS has anyway."""
    return host.lower().removesuffix(":443")


def _is_one_of(host: str, name: str) -> bool:
    """Whether a host is the one of this name, or one below it where the name begins with `*.`."""
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
