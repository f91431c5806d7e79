"""Whom does the audit log name, and whom do limits count? The account, and the address that a request comes from."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from pagerpal_common.http import Call
from starlette.requests import Request

from pagerpal_web.context import Context
from pagerpal_web.storage.audit import Author

UNKNOWN = "unknown"


def author_of(ctx: Context, call: Call[Any]) -> Author:
    """Who makes this call, for the audit log."""
    return author(ctx, call.request, None if call.account is None else call.account.user_id)


def author(ctx: Context, request: Request, user_id: int | None) -> Author:
    """Somebody who makes this request, for the audit log."""
    return Author(user_id, ctx.now(), address_of(request), request.state.request_id)


def address_of(request: Request) -> str:
    """The address of the client: of the connection, or what a trusted proxy says (`PAGERPAL_TRUSTED_PROXIES`)."""
    return _normal(request.client.host if request.client is not None else "")


def counted_address_of(request: Request) -> str:
    """The same, as limits count it: of an IPv6 address the first 64 bits, which is what one subscriber has."""
    address = address_of(request)
    if ":" not in address:
        return address
    return str(IPv6Address(int(IPv6Address(address)) >> 64 << 64)) + "/64"


def _normal(host: str) -> str:
    """One spelling of each address; whatever a proxy passes on that is none is nobody's."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
