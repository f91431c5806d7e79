"""Did our own page send this, or could another site have made the browser do it? And where may a login lead?

Browsers add `Origin` and `Sec-Fetch-Site` to what they send on behalf of a page, and no page can forge them (Fetch
Standard, §3.2 and W3C Fetch Metadata §2.1). What carries neither is no browser: curl, a script, a monitoring system.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

HOME = "/dashboard"


def is_from_elsewhere(headers: Mapping[str, str], own_origin: str | None) -> bool:
    """Whether a browser says that another site's page sent this.

    Args:
        headers: of the request, names in lower case.
        own_origin: where people find PagerPal, when that is not what the `Host` header says: a proxy may change that.
    """
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and origin != own_origin and not _is_of_host(origin, headers.get("host", ""))


def _is_of_host(origin: str, host: str) -> bool:
    """The scheme is left out of it: behind a proxy that speaks TLS, ours is not the browser's."""
    try:
        there = urlsplit(origin)
        here = urlsplit(f"//{host}")
        port = DEFAULT_PORTS[there.scheme]
        return bool(there.hostname) and (there.hostname, there.port or port) == (here.hostname, here.port or port)
    except (KeyError, ValueError):
        return False


def origin_of(url: str) -> str:
    """The origin of a URL as browsers write it (RFC 6454 §6.1).

    Raises:
        ValueError: it is no http(s) URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("it must be an http or https URL")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_default = parts.port in {None, DEFAULT_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{parts.port}"


def is_private_url(url: str, *, allow_local: bool) -> bool:
    """Whether a secret in this URL is safe on its way: by TLS or, where that is allowed, within this machine."""
    try:
        parts = urlsplit(url)
        is_plain = url.isascii() and url.isprintable() and " " not in url and parts.port != 0
        host = parts.hostname or ""
    except ValueError:
        return False
    is_by_tls = parts.scheme == "https" and bool(host)
    return is_plain and (is_by_tls or (allow_local and parts.scheme == "http" and is_local(host)))


def is_local(host: str) -> bool:
    """Whether this name or address is this machine's own, and nobody else's."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_local_name(host: str) -> bool:
    """The same of a `Host` header. A page elsewhere can give its own name our address (DNS rebinding), and the
    browser then takes us for that page's own site; but it still says the page's name."""
    try:
        return is_local(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def safe_next(wanted: str | None) -> str:
    """Where a login leads: a path of ours, or the dashboard. Browsers read `//host`, `/\\host` and `/<tab>/host` as
    another site's address, and so does whoever decodes once more than they should (ASVS 5.0, 3.7.2)."""
    if wanted is None or not wanted.startswith("/") or not wanted.isascii() or not wanted.isprintable():
        return HOME
    path = wanted.partition("?")[0].lower()
    twins = ("\\", "//", "%2f", "%5c", "%0", "%1", "%7f", "%25")
    return HOME if any(twin in path for twin in twins) or " " in wanted or "\\" in wanted else wanted
