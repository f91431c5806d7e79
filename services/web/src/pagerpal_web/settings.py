"""What does web read from the environment?"""

from pathlib import Path
from typing import Annotated

from pagerpal_common.config import Settings
from pagerpal_common.long_tail import Allowed, HostList, MessengerList, allowed
from pagerpal_common.secret_strength import Strong
from pagerpal_common.web_push import Allowed as AllowedPush
from pagerpal_common.web_push import PushHosts, hosts_of
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from pagerpal_web.domain.origins import is_local, is_private_url, origin_of
from pagerpal_web.tokens import SHORTEST_KEY_BYTES


class WebSettings(Settings):
    """The settings that every process has, and what web's cookies and first steps need."""

    port: int = Field(8005, alias="PORT", ge=1, le=65535)
    data_dir: Path = Field(Path(".pagerpal"), alias="PAGERPAL_DATA_DIR")
    """In development the secret key is kept here."""
    secret_key: Annotated[SecretStr | None, Strong(SHORTEST_KEY_BYTES)] = Field(None, alias="PAGERPAL_SECRET_KEY")
    """What sessions are signed with; the same on every replica."""
    previous_secret_key: SecretStr | None = Field(None, alias="PAGERPAL_SECRET_KEY_PREVIOUS")
    """The one before it: its sessions hold until they end, so that the key can be changed without a logout."""
    public_url: str | None = Field(None, alias="PAGERPAL_PUBLIC_URL")
    edge_host: str | None = Field(None, alias="PAGERPAL_EDGE_HOST")
    """Where a proxy on this machine listens for web, when that is not web itself."""
    heartbeat_url: SecretStr | None = Field(None, alias="PAGERPAL_HEARTBEAT_URL")
    """Called every minute while all is well, for somebody outside to notice when it is called no more."""
    auditor_team_id: int | None = Field(None, alias="PAGERPAL_AUDITOR_TEAM_ID", ge=1, le=2**63 - 1)
    """Whose escalation policy holds when the auditor finds something; every administrator's otherwise."""
    long_tail_messengers: MessengerList = Field("", alias="PAGERPAL_LONG_TAIL")
    """The messengers that the notifier sends to through Apprise: `telegram,discord`. None unless it is set."""
    long_tail_hosts: HostList = Field("", alias="PAGERPAL_LONG_TAIL_HOSTS")
    """Servers of one's own among them: `ntfy.example.org,chat.example.org:8443`."""
    web_push_hosts: PushHosts = Field("", alias="PAGERPAL_WEB_PUSH_HOSTS")
    """Push services beside those of the browsers' makers, as the notifier's: `push.example.org`."""

    @field_validator("secret_key", "previous_secret_key")
    @classmethod
    def _check_key(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and len(given.get_secret_value().encode()) < SHORTEST_KEY_BYTES:
            raise ValueError("it must have at least 32 bytes (try `openssl rand -base64 48`)")
        return given

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, given: str | None) -> str | None:
        if given is not None:
            origin_of(given)
        return given

    @field_validator("heartbeat_url")
    @classmethod
    def _check_heartbeat_url(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if given is not None and not is_private_url(given.get_secret_value(), allow_local=_is_development(info)):
            raise ValueError("it must be an https URL (in development, http on this machine will do)")
        return given

    @property
    def long_tail(self) -> Allowed:
        """Which addresses of messengers a person may write down."""
        is_guarded = self.env == "production"
        return allowed(self.long_tail_messengers, self.long_tail_hosts, is_guarded=is_guarded)

    @property
    def web_push(self) -> AllowedPush:
        """Which browsers may subscribe, by their push services."""
        return AllowedPush(hosts_of(self.web_push_hosts), is_guarded=self.env == "production")

    @property
    def own_origin(self) -> str | None:
        """Where browsers find PagerPal, if that is set."""
        return None if self.public_url is None else origin_of(self.public_url)

    @property
    def is_secure(self) -> bool:
        """Whether cookies go over TLS alone. Development has none."""
        return self.env == "production"

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine's own people may reach web."""
        places = (self.host, self.edge_host)
        return self.env == "production" or not all(is_local(place) for place in places if place is not None)


def _is_development(info: ValidationInfo) -> bool:
    return info.data.get("env") == "development"
