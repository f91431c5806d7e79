"""What the notifier is told by its environment."""

from collections.abc import Set
from typing import Self
from urllib.parse import urlsplit

from pagerpal_common.ack_links import ack_key
from pagerpal_common.config import Settings
from pagerpal_common.long_tail import Allowed, HostList, MessengerList, allowed
from pagerpal_common.web_push import Allowed as AllowedPush
from pagerpal_common.web_push import PushHosts, hosts_of
from pydantic import Field, SecretStr, field_validator, model_validator

from pagerpal_notifier.domain.limits import rates
from pagerpal_notifier.domain.sealing import private_key

LONGEST_PUBLIC_URL = 200
LONGEST_RATES = 200
SHORTEST_KEY_BYTES = 32


class NotifierSettings(Settings):
    port: int = Field(8004, alias="PORT", ge=1, le=65535)
    infobip_base_url: str | None = Field(None, alias="INFOBIP_BASE_URL")
    infobip_api_key: SecretStr | None = Field(None, alias="INFOBIP_API_KEY")
    infobip_sender: str = Field("PagerPal", alias="INFOBIP_SENDER")
    infobip_voice_sender: str | None = Field(None, alias="INFOBIP_VOICE_SENDER")
    smtp_url: SecretStr | None = Field(None, alias="SMTP_URL")
    provider_rates: str = Field("", alias="PAGERPAL_PROVIDER_RATES", max_length=LONGEST_RATES)
    """Messages per second to each provider, of all notifiers together: `infobip=200,smtp=5`."""
    public_url: str | None = Field(None, alias="PAGERPAL_PUBLIC_URL", max_length=LONGEST_PUBLIC_URL)
    secret_key: SecretStr | None = Field(None, alias="PAGERPAL_SECRET_KEY")
    """Web's: of it comes the key that one-tap links are signed with. Without it pages have none."""
    long_tail_messengers: MessengerList = Field("", alias="PAGERPAL_LONG_TAIL")
    """Which messengers people may be paged by, through Apprise: `telegram,discord`. None unless it is set."""
    long_tail_hosts: HostList = Field("", alias="PAGERPAL_LONG_TAIL_HOSTS")
    """Servers of one's own that messages may go to: `ntfy.example.org,chat.example.org:8443`."""
    web_push_key: SecretStr | None = Field(None, alias="PAGERPAL_WEB_PUSH_KEY")
    """What messages to browsers are signed with. Browsers subscribe to its public half, and to no other."""
    web_push_hosts: PushHosts = Field("", alias="PAGERPAL_WEB_PUSH_HOSTS")
    """Push services beside those of the browsers' makers: `push.example.org`."""

    @field_validator("infobip_base_url")
    @classmethod
    def _complete_base_url(cls, given: str | None) -> str | None:
        """Infobip's portal shows the base URL as a bare host."""
        if given is None:
            return None
        return _http_url(given if "://" in given else f"https://{given}")

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, given: str | None) -> str | None:
        return None if given is None else _http_url(given)

    @field_validator("provider_rates")
    @classmethod
    def _check_rates(cls, given: str) -> str:
        rates(given)
        return given

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not _is_url_of(given.get_secret_value(), {"smtp", "smtps"}):
            raise ValueError("it must look like smtp://host:25 or smtps://user:password@host:465")
        return given

    @field_validator("secret_key")
    @classmethod
    def _check_key(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and len(given.get_secret_value().encode()) < SHORTEST_KEY_BYTES:
            raise ValueError("it must have at least 32 bytes (try `openssl rand -base64 48`)")
        return given

    @field_validator("web_push_key")
    @classmethod
    def _check_push_key(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            private_key(given.get_secret_value())
        return given

    @property
    def web_push(self) -> AllowedPush:
        """Which push services messages may go to."""
        return AllowedPush(hosts_of(self.web_push_hosts), is_guarded=self.env == "production")

    @property
    def long_tail(self) -> Allowed:
        """Where Apprise may be sent."""
        is_guarded = self.env == "production"
        return allowed(self.long_tail_messengers, self.long_tail_hosts, is_guarded=is_guarded)

    @property
    def link_key(self) -> bytes | None:
        """What one-tap links are signed with (`ack_links.py`), if there is a secret key."""
        return None if self.secret_key is None else ack_key(self.secret_key.get_secret_value().encode())

    @model_validator(mode="after")
    def _check_infobip(self) -> Self:
        if (self.infobip_base_url is None) != (self.infobip_api_key is None):
            raise ValueError("INFOBIP_BASE_URL and INFOBIP_API_KEY must be set together")
        return self


def _http_url(given: str) -> str:
    """The URL without a slash at its end.

    Raises:
        ValueError: it is not a plain http(s) URL.
    """
    is_plain = given.isascii() and given.isprintable() and not set(given) & set(" <>\"'?#")
    if not is_plain or not _is_url_of(given, {"http", "https"}):
        raise ValueError("it must be an http or https URL without a query")
    return given.rstrip("/")


def _is_url_of(given: str, schemes: Set[str]) -> bool:
    """Whether it is such a URL. Errors of `urlsplit` quote what may be a password, so they end here."""
    try:
        parts = urlsplit(given)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
