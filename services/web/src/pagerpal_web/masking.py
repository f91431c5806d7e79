"""How much of an address may be shown? Enough for its owner to know it. And of a source's secrets? Nothing.

Who changes a configuration may send back what was shown: a secret that comes masked is the one that is there.
"""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.errors import Invalid

SECRETS = frozenset({"hmac_secret"})
"""Settings in the configuration of an alert source that only ingest reads."""

MASK = "********"


def masked(address: str | None) -> str | None:
    """`+49…4567`, `a…@example.org`, `https://example.org/…` or `tgram://…`; what is too short to hide anything is
    hidden whole."""
    if address is None:
        return None
    scheme, is_url, _ = address.partition("://")
    if is_url and scheme not in {"http", "https"}:  # where others have a host, messengers have tokens
        return f"{scheme}://…"
    if is_url:  # whoever knows the rest of it may speak to that chat
        return f"{address[: (address + '/').find('/', address.find('://') + 3)]}/…"
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"{address[:3]}…{address[-4:]}" if len(address) > 9 else "…"


def without_secrets(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The configuration of a source as it may be shown."""
    if config is None:
        return None
    return {name: MASK if name in SECRETS and value else value for name, value in config.items()}


def with_secrets_of(config: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A configuration that somebody sent, with the secrets that they were not shown.

    Raises:
        Invalid: it has a mask where there was no secret: taken for one, it would turn every alert away.
    """
    if config is None:
        return None
    masked = {name for name in SECRETS if config.get(name) == MASK}
    if missing := masked - (before or {}).keys():
        raise Invalid(f"config.{', '.join(sorted(missing))} is masked; send the secret itself")
    return {**config, **{name: (before or {})[name] for name in masked}}
