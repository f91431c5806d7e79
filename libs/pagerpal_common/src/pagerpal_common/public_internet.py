"""Is this an address of the public internet, where anybody may call anybody?

Whoever writes down a URL that we call decides what our own network is asked to do: databases, the cloud's metadata
service, ourselves. So what we are told to call is on the public internet, or nothing is called (OWASP, Server-Side
Request Forgery Prevention; security rules S23, S24). Pure: who resolves the name asks for each of its addresses.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

# What a network without IPv4 has instead of it (DNS64, RFC 6147): the address in the last 32 bits is where it leads.
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052

# Networks that lead on to IPv4 addresses of anybody's choice, by relays that nobody needs: 6to4 (RFC 3056), Teredo
# (RFC 4380), a NAT64 of somebody's own (RFC 8215), and what is left of IPv4-compatible addresses (RFC 4291, 2.5.5.1).
_DETOURS = tuple(map(ip_network, ("2002::/16", "2001::/32", "64:ff9b:1::/48", "::/96")))


def is_public(address: str) -> bool:
    """Whether this IP address is one of the public internet: not of this host, this network, or a cloud's metadata.

    Raises:
        ValueError: it is no IP address.
    """
    ip = _destination(ip_address(address.partition("%")[0]))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not _is_detour(ip)


def _destination(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Where it leads."""
    if not isinstance(ip, IPv6Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip if ip.ipv4_mapped is None else ip.ipv4_mapped


def _is_detour(ip: IPv4Address | IPv6Address) -> bool:
    return any(ip.version == network.version and ip in network for network in _DETOURS)
