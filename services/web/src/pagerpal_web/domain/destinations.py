"""May PagerPal be sent to this address of the internet? Only to what is everybody's.

Whoever may name a URL that we call could otherwise reach what only our own network can: databases, the cloud's
metadata service, ourselves (OWASP Server-Side Request Forgery Prevention Cheat Sheet).
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits


def is_public(address: str) -> bool:
    """Whether this IP address, and any that hides in it, is a global one. Words are none.

    Raises:
        ValueError: it is no IP address.
    """
    found = ip_address(address.partition("%")[0])
    hidden = _hidden_in(found) if isinstance(found, IPv6Address) else None
    return found.is_global and not found.is_multicast and (hidden is None or is_public(str(hidden)))


def _hidden_in(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo[1] if address.teredo is not None else None)
