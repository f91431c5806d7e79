"""Which service answers a request when the five run as processes? A small reverse proxy for development and tests.

In production this is the ingress's work; the routing is the same. Bodies are streamed both ways, and nothing is
changed but what HTTP says belongs to one connection only, and who the client is: the services believe us in that.
Query strings may hold keys and are never logged.
"""

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager

import httpx
import structlog
from pagerpal_common.http.guard import HARDENED
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(__name__)

TO_INGEST = (("api", "v1", "alerts"), ("api", "v1", "webhooks"), ("api", "v1", "notifications"), ("v2", "enqueue"))
"""What monitoring systems and the provider call; everything else is web's."""

TIMEOUT = httpx.Timeout(60.0, connect=2.0, pool=10.0)
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=30.0)
RETRY_AFTER_SECONDS = "2"

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    b" upgrade".split()
)
"""RFC 9110 §7.6.1: these are between two neighbours; `Connection` may name more."""

CLIENT = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
"""What the client says of itself here is dropped; `PAGERPAL_TRUSTED_PROXIES` in front of us were heard already."""

Headers = Sequence[tuple[bytes, bytes]]


def service_for(path: str) -> str:
    """The service that a path belongs to, compared element by element: `/api/v1/alert-sources` is not an alert."""
    elements = tuple(path.removeprefix("/").split("/"))
    return "ingest" if any(elements[: len(prefix)] == prefix for prefix in TO_INGEST) else "web"


@asynccontextmanager
async def edge(urls: Mapping[str, str]) -> AsyncIterator[Starlette]:
    """The proxy as an application, while the context is open. `urls` says where ingest and web listen."""
    async with httpx.AsyncHTTPTransport(limits=LIMITS, trust_env=False) as transport:
        yield Starlette(routes=[Mount("/", _proxy(transport, urls))])


def _proxy(transport: httpx.AsyncHTTPTransport, urls: Mapping[str, str]) -> ASGIApp:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        service = service_for(scope["path"])
        try:
            answer = await transport.handle_async_request(_forwarded(request, urls[service]))
        except ClientDisconnect:
            response: Response = Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - httpx lets an AttributeError out when the service dies on connect
            response = _unavailable(service, error)
        else:
            response = _returned(answer)
        await response(scope, receive, send)

    return proxy


def _forwarded(request: Request, url: str) -> httpx.Request:
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    target: bytes = request.scope["raw_path"]
    if request.scope["query_string"]:
        target += b"?" + request.scope["query_string"]
    return httpx.Request(
        request.method,
        url,
        headers=[*_end_to_end(request.headers.raw, CLIENT), *_client(request)],
        content=request.stream() if has_body else None,
        extensions={"timeout": TIMEOUT.as_dict(), "target": target},  # the target as it came, not normalised
    )


def _returned(answer: httpx.Response) -> Response:
    async def body() -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        finally:
            await answer.aclose()

    response = StreamingResponse(body(), answer.status_code)
    response.raw_headers = list(_end_to_end(answer.headers.raw))
    return response


def _unavailable(service: str, error: Exception) -> Response:
    log.warning("edge.unavailable", service=service, error=type(error).__name__)
    detail = f"PagerPal's {service} service cannot be reached just now; try again"
    response = JSONResponse({"detail": detail}, 503, {"Retry-After": RETRY_AFTER_SECONDS})
    response.raw_headers += HARDENED.items()
    return response


def _client(request: Request) -> Headers:
    address = request.client.host if request.client is not None else "unknown"
    return [(b"x-forwarded-for", address.encode()), (b"x-forwarded-proto", request.scope["scheme"].encode())]


def _end_to_end(headers: Headers, dropped: Set[bytes] = frozenset()) -> Headers:
    named = {
        name.strip().lower()
        for header, value in headers
        if header.lower() == b"connection"
        for name in value.split(b",")
    }
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP | named | dropped]
