"""Where does the key behind sessions come from? From the environment, or in development out of a file made once."""

import hashlib
import hmac
import os
import secrets
from base64 import b32encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pagerpal_common.ack_links import ack_key
from pagerpal_common.config import ConfigError

from pagerpal_web.settings import WebSettings
from pagerpal_web.tokens import SHORTEST_KEY_BYTES

FILE = "secret-key"


@dataclass(frozen=True)
class SecretKeys:
    """The secret key, and the one before it. Neither is used as it is: each purpose has a key of its own."""

    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)

    def ring(self, purpose: str) -> tuple[bytes, ...]:
        """The keys of one purpose, the current one first."""
        known = (self.current,) if self.previous is None else (self.current, self.previous)
        return tuple(_derived(key, purpose) for key in known)


def load_keys(settings: WebSettings) -> SecretKeys:
    """The keys that this process works with; every replica with the same settings has the same.

    Raises:
        ConfigError: the file of the development key can be neither read nor made.
    """
    given, previous = settings.secret_key, settings.previous_secret_key
    current = given.get_secret_value().encode() if given is not None else _kept_key(settings.data_dir)
    return SecretKeys(current, previous.get_secret_value().encode() if previous is not None else None)


def ack_keys(keys: SecretKeys) -> tuple[bytes, ...]:
    """What one-tap links are believed by; the notifier signs them with the first."""
    known = (keys.current,) if keys.previous is None else (keys.current, keys.previous)
    return tuple(ack_key(key) for key in known)


def setup_token(keys: SecretKeys) -> str:
    """What the first admin has to show where strangers could be first. The same on every replica, and never stored."""
    return b32encode(_derived(keys.current, "setup token")[:15]).decode().lower()


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, f"pagerpal {purpose}".encode(), hashlib.sha256)


def _kept_key(directory: Path) -> bytes:
    file = directory / FILE
    try:
        if not file.exists():
            directory.mkdir(parents=True, exist_ok=True)
            _make(file)
        key = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"PagerPal cannot start:\n  {file}: {error.strerror}") from None
    if len(key) < SHORTEST_KEY_BYTES:
        raise ConfigError(f"PagerPal cannot start:\n  {file}: a key has at least {SHORTEST_KEY_BYTES} bytes")
    return key


def _make(file: Path) -> None:
    """Several processes may come here at once: the first one's key stays, whole."""
    draft = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as writing:
            writing.write(secrets.token_urlsafe(48) + "\n")
            writing.flush()
            os.fsync(writing.fileno())
        with suppress(FileExistsError):
            file.hardlink_to(draft)
    finally:
        draft.unlink()
