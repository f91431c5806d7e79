"""May a page be posted to this URL, and to this address of its host?

Whoever may write down a webhook's URL decides what our own network is asked to do. So a URL leads to the public
internet or nowhere (OWASP, Server-Side Request Forgery Prevention): it is judged by its parts, and then every address
that its name resolves to, for a name may be made to resolve to anything (security rules S23, S24).
"""

from collections.abc import Set
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

LONGEST_URL = 2000

# Networks that lead on to IPv4 addresses of anybody's choice: 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052,
# RFC 8215), and what is left of IPv4-compatible addresses (RFC 4291, 2.5.5.1).
_DETOURS = tuple(map(ip_network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


def problem_of_url(url: str, *, schemes: Set[str]) -> str | None:
    """Why nothing is posted there, in words that do not quote the URL; None when something may be."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is not a URL"
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(' <>"\\^`{|}')
    if not is_plain or len(url) > LONGEST_URL:
        return "it is not a URL, or too long"
    if parts.scheme not in schemes:
        return f"it does not begin with {' or '.join(sorted(f'{scheme}://' for scheme in schemes))}"
    if parts.username is not None or parts.password is not None:
        return "it holds a user or a password"
    if not host or port == 0:
        return "it names no host, or no port"
    return None


def is_public(address: str) -> bool:
    """Whether this IP address is one of the public internet: not of this host, this network, or a cloud's metadata."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not _is_detour(ip)


def _is_detour(ip: IPv4Address | IPv6Address) -> bool:
    return any(ip.version == network.version and ip in network for network in _DETOURS)
