"""Does tracing cost nothing when it is off, and is it never what a page waits for or fails by?"""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from pagerpal_common import tracing
from pagerpal_common.tracing import sdk
from structlog.testing import capture_logs

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.fixture(autouse=True)
def off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing._recording, "tracer", None)


def told_by_configuring(environ: Mapping[str, str]) -> list[tuple[str, object]]:
    with capture_logs() as lines:
        tracing.configure("pagerpal-ingest", environ)
    return [(line["event"], line.get("reason")) for line in lines]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "pagerpal"},
        {**COLLECTOR, "OTEL_SDK_DISABLED": "true"},
        {**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    ],
)
def test_it_is_off_unless_somebody_is_named_to_send_spans_to(environ: Mapping[str, str]) -> None:
    assert told_by_configuring(environ) == []

    assert not tracing.is_on()


def test_nothing_of_opentelemetry_is_imported_while_it_is_off() -> None:
    program = """
import sys, pagerpal_common.alone, pagerpal_common.tracing
pagerpal_common.tracing.configure("pagerpal-ingest", {})
with pagerpal_common.tracing.span("nothing"):
    pass
print([name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "requests", "google")])
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60).stdout

    assert printed.strip() == b"[]"


def test_without_the_extra_one_line_says_so_and_the_service_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pagerpal_common.tracing.sdk")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    told = told_by_configuring(COLLECTOR)

    assert told == [("tracing.off", "the extra pagerpal-common[tracing] is not installed")]
    assert not tracing.is_on()


def test_what_keeps_opentelemetry_from_starting_keeps_nothing_else_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("https://pagerpal:hunter2@collector is no endpoint")

    monkeypatch.setattr(sdk, "open_tracer", fail)

    with capture_logs() as lines:
        tracing.configure("pagerpal-ingest", COLLECTOR)

    assert [line["event"] for line in lines] == ["tracing.off"]
    assert "hunter2" not in str(lines)


def test_a_protocol_that_is_not_spoken_is_said_and_not_tried() -> None:
    told = told_by_configuring({**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})

    assert told == [("tracing.off", "OTEL_EXPORTER_OTLP_PROTOCOL may be http/protobuf only")]


def test_a_span_while_it_is_off_hands_on_the_trace_it_was_given() -> None:
    given = f"00-{TRACE}-{SPAN}-01"

    with tracing.span("nothing", parent=given) as span:
        assert (span.traceparent, tracing.current()) == (given, given)

    assert tracing.current() is None


def test_a_bug_in_tracing_ends_it_and_not_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = sdk.OtlpTracer(TracerProvider(shutdown_on_exit=False))
    monkeypatch.setattr(tracing._recording, "tracer", tracer)

    with capture_logs() as lines, tracing.span("page", parent="no traceparent at all") as span:
        assert span.traceparent == "no traceparent at all"

    assert [(line["event"], line["reason"]) for line in lines] == [("tracing.off", "a bug")]
    assert not tracing.is_on()


class Collector(SpanExporter):
    """Takes spans, or not."""

    is_away = True

    def export(self, _spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE if self.is_away else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


def test_a_collector_that_is_away_is_said_at_once_and_then_every_minute() -> None:
    collector, clock = Collector(), [100.0]
    told = sdk.Told(collector, lambda: clock[0])
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("x")
    assert isinstance(span, ReadableSpan)

    with capture_logs() as lines:
        for clock[0] in (100.0, 101.0, 159.0, 160.0, 161.0):
            told.export([span, span])
        collector.is_away = False
        told.export([span])
        told.export([span])

    assert [(line["event"], line.get("spans", line.get("lost"))) for line in lines] == [
        ("tracing.spans_lost", 2),
        ("tracing.spans_lost", 8),
        ("tracing.spans_sent_again", 10),
    ]


def test_the_end_of_a_process_waits_no_longer_than_its_time_for_the_last_spans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(provider, "shutdown", lambda: over.wait(60))
    monkeypatch.setattr(sdk, "SHUT_DOWN_SECONDS", 0.01)
    monkeypatch.setattr(tracing._recording, "tracer", sdk.OtlpTracer(provider))
    began = time.monotonic()

    tracing.shut_down()

    assert time.monotonic() - began < 30
    assert not tracing.is_on()
    over.set()


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01"),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", f"00-{TRACE}-{SPAN}-01"),
        (f"01-{TRACE}-{SPAN}-01-what-comes-after-us", f"00-{TRACE}-{SPAN}-01"),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f"01-{TRACE}-{SPAN}-01-{'x' * 10_000}", None),
        ("", None),
    ],
)
def test_a_strangers_header_is_read_by_the_standards_rules(header: str, read: str | None) -> None:
    assert tracing.read_traceparent(header) == read
