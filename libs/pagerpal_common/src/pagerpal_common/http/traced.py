"""How does a request show in a trace? As a span of its own, going on in its sender's trace if it brings one.

OpenTelemetry's semantic conventions for HTTP servers, with the row of the route and never the path: a path may hold
what lets somebody in, and a query a key.
"""

from starlette.types import Scope

from pagerpal_common import tracing
from pagerpal_common.tracing import Kind, Span

TRACEPARENT = b"traceparent"

UNTRACED = ("/livez", "/readyz", "/health", "/metrics", "/events")
"""Asked all day long by machines; and the pages' stream, which lasts as long as somebody looks."""

_NOTHING = Span(None)


def begin(scope: Scope) -> Span:
    """The span of a request that has just come."""
    if not tracing.is_on() or scope["path"] in UNTRACED:
        return _NOTHING
    attributes = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
    return tracing.begin(scope["method"], Kind.SERVER, parent=_sent_with(scope), attributes=attributes)


def end(span: Span, scope: Scope, status: int) -> None:
    """It has been answered."""
    if span is _NOTHING:
        return
    attributes: dict[str, str | int] = {"http.response.status_code": status}
    attributes["pagerpal.request.id"] = scope["state"]["request_id"]
    if (route := scope["state"].get("route")) is not None:
        attributes["http.route"] = route
        span.name(f"{scope['method']} {route}")
    span.set(attributes)
    if status >= 500:
        span.fail(str(status))
    span.end()


def _sent_with(scope: Scope) -> str | None:
    """The trace of whoever sends it. Two headers are no header (W3C Trace Context §3.2)."""
    given = [value for name, value in scope["headers"] if name == TRACEPARENT]
    return tracing.read_traceparent(given[0].decode("latin-1")) if len(given) == 1 else None
