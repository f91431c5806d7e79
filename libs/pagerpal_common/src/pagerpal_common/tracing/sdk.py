"""What records spans and sends them away? OpenTelemetry's SDK; imported by `configure` alone, once it is wanted.

Spans are sent by a thread of the SDK's, from a queue that is bounded: when it is full, or the collector away, spans are
lost, and nothing waits.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from pagerpal_common import VERSION
from pagerpal_common.tracing import Attributes, Kind, Span
from pagerpal_common.tracing.context import ids

log = structlog.get_logger(__name__)

EXPORT_SECONDS = 3.0
"""For one batch, its retries included, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise: the next one waits for it."""

SHUT_DOWN_SECONDS = 2.0

WARN_SECONDS = 60.0
"""Between two lines that say that spans are lost."""

KINDS = {
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
    Kind.INTERNAL: SpanKind.INTERNAL,
}


class RecordedSpan(Span):
    """One of the SDK's."""

    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan) -> None:
        context = span.get_span_context()
        super().__init__(f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}")
        self._span = span

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self._span.end()


class OtlpTracer:
    """Records spans for a collector."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("pagerpal", VERSION)

    def begin(self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Attributes) -> Span:
        context = None if parent is None else set_span_in_context(NonRecordingSpan(_context(parent)))
        span = self._tracer.start_span(
            name,
            context=context,
            kind=KINDS[kind],
            attributes=attributes,
            links=[Link(_context(link)) for link in links],
            record_exception=False,  # an error's text may quote what must not be told
            set_status_on_exception=False,
        )
        return RecordedSpan(span)

    def shut_down(self) -> None:
        """Send what is left, for a moment: by a thread that nobody waits for if the collector is away."""
        closing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        closing.start()
        closing.join(SHUT_DOWN_SECONDS)


class Told(SpanExporter):
    """Sends spans, and says in the log when they are lost: at once, and then every minute."""

    def __init__(self, exporter: SpanExporter, clock: Callable[[], float] = time.monotonic) -> None:
        self._exporter = exporter
        self._clock = clock
        self._lost = 0
        self._next_at = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if self._clock() >= self._next_at:
                self._next_at = self._clock() + WARN_SECONDS
                log.warning("tracing.spans_lost", spans=self._lost, reason="the collector does not take them")
        elif self._lost:
            log.info("tracing.spans_sent_again", lost=self._lost)
            self._lost, self._next_at = 0, 0.0
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def open_tracer(service: str, environ: Mapping[str, str]) -> OtlpTracer:
    """A tracer as OpenTelemetry's own variables have it, which the SDK reads from the environment by itself."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would tell of each batch; `Told` does that
    has_timeout = environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") or environ.get("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
    exporter = Told(OTLPSpanExporter(timeout=None if has_timeout else EXPORT_SECONDS))
    name = environ.get("OTEL_SERVICE_NAME") or service
    resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: VERSION})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtlpTracer(provider)


def _context(traceparent: str) -> SpanContext:
    trace_id, span_id = ids(traceparent)
    flags = TraceFlags(int(traceparent[-2:], 16))
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)
