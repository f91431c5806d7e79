"""How does a page show in OpenTelemetry? As one trace from the alert's POST to the provider's call.

Spans are begun by hand in the few places that all work passes: a request (`http/guard.py`), what goes to the bus
(`bus/traced.py`) and comes from it (`bus/lane.py`, and the handlers of messages that tell of several incidents),
a step of the timer, a send, a provider's call. docs/decisions/0034-tracing.md says where a trace goes on and where a
new one begins.

Off, which it is unless an exporter is configured, nothing of OpenTelemetry is imported, and a span is one comparison.
"""

import importlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import structlog

from pagerpal_common.tracing.context import caused_by, current, ids, read_traceparent, within

__all__ = [
    "CURRENT",
    "Attributes",
    "Kind",
    "Span",
    "Tracer",
    "begin",
    "caused_by",
    "configure",
    "current",
    "ids",
    "is_on",
    "messaging",
    "read_traceparent",
    "shut_down",
    "span",
    "together",
    "within",
]

log = structlog.get_logger(__name__)

Attributes = Mapping[str, str | int | bool]
"""Ids, names of ours and outcomes. Never what a sender or a person has written, an address, a key or a query."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""One of them turns tracing on."""

PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
PROTOCOL = "http/protobuf"
"""The only one that is spoken."""


class Kind(StrEnum):
    """As OpenTelemetry has them."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    INTERNAL = "internal"


class Span:
    """A span that nobody records: what is done in it belongs to the trace that it was begun in."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    def name(self, name: str) -> None:
        """Call it otherwise, now that more is known."""

    def set(self, attributes: Attributes) -> None:
        """Say more of it."""

    def fail(self, kind: str) -> None:
        """It has gone wrong: what kind of thing that was, in a word of ours. The last call but `end`."""

    def end(self) -> None:
        """It is over."""


class Tracer(Protocol):
    """What records spans."""

    def begin(
        self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Attributes
    ) -> Span: ...

    def shut_down(self) -> None: ...


class _Recording:
    """What records spans here, if anything does."""

    tracer: Tracer | None = None
    messaging_system = "rabbitmq"


_recording = _Recording()

_NONE = Span(None)

CURRENT = "current"
"""As a span's parent: whatever is being done now."""


def is_on() -> bool:
    """Whether spans are recorded: for what is worth doing only then."""
    return _recording.tracer is not None


def begin(
    name: str,
    kind: Kind = Kind.INTERNAL,
    *,
    parent: str | None = CURRENT,
    links: Sequence[str] = (),
    attributes: Attributes | None = None,
) -> Span:
    """A span, begun now and to be ended by the caller; without a parent it begins a trace.

    Args:
        parent: the `traceparent` that it was caused by.
        links: others that it has to do with.
    """
    traceparent = current() if parent is CURRENT else parent
    if _recording.tracer is None:
        return _NONE if traceparent is None else Span(traceparent)
    try:
        return _recording.tracer.begin(name, kind, traceparent, links, attributes or {})
    except Exception as error:  # noqa: BLE001 - whatever it is, a page goes on without it
        _recording.tracer = None
        log.error("tracing.off", reason="a bug", error=type(error).__name__)
        return Span(traceparent)


class span:  # noqa: N801 - as `within`
    """A span as long as its block, whose work belongs to it. Whatever is raised in there fails it."""

    __slots__ = ("_span", "_within")

    def __init__(
        self,
        name: str,
        kind: Kind = Kind.INTERNAL,
        *,
        parent: str | None = CURRENT,
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
    ) -> None:
        self._span = begin(name, kind, parent=parent, links=links, attributes=attributes)
        self._within = within(self._span.traceparent)

    def __enter__(self) -> Span:
        self._within.__enter__()
        return self._span

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._within.__exit__()
        if kind is not None:
            self._span.fail(kind.__name__)
        self._span.end()


class together:  # noqa: N801 - as `within`
    """The spans of things that are done together: those added in the block end with it, and fail with it."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def __enter__(self) -> "together":
        return self

    def add(self, begun: Span) -> Span:
        """One more. Nothing but its `traceparent` says which of them some work belongs to."""
        self._spans.append(begun)
        return begun

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for one in self._spans:
            if kind is not None:
                one.fail(kind.__name__)
            one.end()


def messaging(operation: str, topic: str) -> Attributes:
    """OpenTelemetry's semantic conventions for messaging: what a span about a message says of itself."""
    return {
        "messaging.system": _recording.messaging_system,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
    }


def configure(service: str, environ: Mapping[str, str], *, messaging_system: str = "rabbitmq") -> None:
    """Record spans from now on, if the environment names somebody to send them to. Whatever is wrong with that is a
    line in the log, and nothing else: no page depends on it.

    Args:
        service: the process's name, unless OTEL_SERVICE_NAME says another.
    """
    _recording.tracer = None
    if not is_wanted(environ):
        return
    others = {environ[name] for name in PROTOCOLS if environ.get(name)} - {PROTOCOL}
    if others:
        log.warning("tracing.off", reason=f"OTEL_EXPORTER_OTLP_PROTOCOL may be {PROTOCOL} only")
        return
    try:
        # Here, and by name, because it is an extra: whoever does not trace need not have it, nor wait for it.
        sdk = importlib.import_module("pagerpal_common.tracing.sdk")
    except ImportError as error:
        log.warning("tracing.off", reason="the extra pagerpal-common[tracing] is not installed", missing=error.name)
        return
    try:
        _recording.tracer = sdk.open_tracer(service, environ)
    except Exception as error:  # noqa: BLE001 - whatever the environment has made of the SDK's own settings
        log.warning("tracing.off", reason="OpenTelemetry does not start", error=type(error).__name__)
        return
    _recording.messaging_system = messaging_system
    log.info("tracing.on", service=environ.get("OTEL_SERVICE_NAME") or service)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the standard variables name somebody to send spans to, and do not say no."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(name) for name in ENDPOINTS)


def shut_down() -> None:
    """Send what is left, within two seconds, and record nothing more. The last thing a process does."""
    tracer, _recording.tracer = _recording.tracer, None
    if tracer is not None:
        tracer.shut_down()
