"""What does a collector of traces see? A real HTTP server that takes OTLP, and keeps every span and its bytes."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Seen:
    """A span as it was sent."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    """The traces that it is linked to."""
    attributes: Mapping[str, object]
    is_failed: bool


@dataclass
class FakeCollector:
    """Takes spans at `url`, as OTEL_EXPORTER_OTLP_ENDPOINT names it."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def traces(self) -> Mapping[str, list[Seen]]:
        """The spans by their trace."""
        found: defaultdict[str, list[Seen]] = defaultdict(list)
        for span in list(self.spans):
            found[span.trace_id].append(span)
        return found

    def take(self, body: bytes) -> None:
        self.raw.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            self.spans += [_seen(service, span) for scope in resource.scope_spans for span in scope.spans]


def _seen(service: str, span: Span) -> Seen:
    values = {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in span.attributes}
    return Seen(
        service=service,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        attributes=values,
        is_failed=span.status.code == 2,
    )


@contextmanager
def fake_collector() -> Iterator[FakeCollector]:
    """One that listens as long as this is open."""
    collector = FakeCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not to the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
