"""Which secrets may not be used in production? Pure, and it names none: a problem's text holds no part of a value."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

WELL_KNOWN = frozenset(
    {
        "1234",
        "123456",
        "12345678",
        "admin",
        "administrator",
        "changeit",
        "changeme",
        "default",
        "demo",
        "example",
        "guest",
        "letmein",
        "pagerpal",
        "pass",
        "passw0rd",
        "password",
        "postgres",
        "qwerty",
        "rabbitmq",
        "root",
        "secret",
        "test",
        "user",
        "welcome",
    }
)
"""What images, tutorials and people in a hurry use; without case, and without what is no letter or digit."""

PLACEHOLDER = re.compile(
    r"change.?(me|this|it)|replace.?(me|this)|your.?(secret|key|password|token)|<.*>", re.IGNORECASE
)
"""What stands in examples for a secret of one's own. It is in a random secret of 43 characters once in 10⁸."""

FEWEST_CHARACTERS = 8
"""Different ones. A random secret of 32 hexadecimal digits has fewer once in 10⁷."""


@dataclass(frozen=True)
class Strong:
    """What production demands of a secret that we give out ourselves: it is set, long, and nobody else's."""

    at_least: int
    """Bytes."""

    def problem(self, value: str | None) -> str | None:
        """What is wrong with it, if anything."""
        if value is None:
            return f"not set; production needs a random secret of at least {self.at_least} bytes"
        if len(value.encode()) < self.at_least:
            return f"too short; production needs a random secret of at least {self.at_least} bytes"
        if is_well_known(value) or PLACEHOLDER.search(value) or len(set(value)) < FEWEST_CHARACTERS:
            return "not a random secret"
        return None


@dataclass(frozen=True)
class Login:
    """What production demands of a URL that says who we are: not the login that every installation begins with.

    A URL without a password is left alone where the server may know us by other means (a socket, a certificate, a
    password file): it is the server that decides whether that is enough.
    """

    default: str | None
    """The password that the client takes when the URL has none."""

    def problem(self, value: str | None) -> str | None:
        """What is wrong with it, if anything."""
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            by_certificate = parse_qs(parts.query).get("auth", [""])[0].lower() == "external"
            password = unquote(parts.password) if parts.password else self.default
            user = unquote(parts.username or "")
        except ValueError:
            return "not a URL"
        if password is None or by_certificate:
            return None
        if is_well_known(password) or password == user:
            return "its password is one that everybody knows; production needs a login of its own"
        return None


def is_well_known(value: str) -> bool:
    """Whether anybody would try it first."""
    return re.sub(r"[^a-z0-9]", "", value.lower()) in WELL_KNOWN
