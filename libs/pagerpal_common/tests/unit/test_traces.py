"""What goes on in which trace, and says so in the log? Requests, messages, batches of both, and groups."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pagerpal_common import tracing
from pagerpal_common.bus import BatchSubscription, Bus, Subscription
from pagerpal_common.bus.lane import Delivery, Lane, Outcome
from pagerpal_common.bus.traced import producing
from pagerpal_common.contracts.incidents import IncidentsTriggered, TriggeredIncident
from pagerpal_common.contracts.message import Message
from pagerpal_common.db import Database
from pagerpal_common.errors import Conflict
from pagerpal_common.groups import Gatherer, Limits
from pagerpal_common.http import Account, Call, Endpoint, application, routes
from pagerpal_common.log import _name_cause
from pagerpal_common.service import Service
from pagerpal_common.testing.waiting import until
from pagerpal_common.tracing import caused_by, current, ids, within
from pagerpal_common.tracing.sdk import OtlpTracer
from structlog.contextvars import bound_contextvars, get_contextvars

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ONE = f"00-{'1' * 32}-{'1' * 16}-01"
OTHER = f"00-{'2' * 32}-{'2' * 16}-01"
UNSAMPLED = f"00-{'3' * 32}-{'3' * 16}-00"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Tracing is on, and these are the spans that have ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing._recording, "tracer", OtlpTracer(provider))
    yield exporter
    provider.shutdown()


def parent_of(span: ReadableSpan) -> tuple[str, str] | None:
    return None if span.parent is None else (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}")


class Done(Message):
    topic: ClassVar[str] = "thing.done.v1"

    incident_id: int = 7


def done(request_id: str | None = None, traceparent: str | None = None) -> Done:
    return Done(occurred_at=NOW, request_id=request_id, traceparent=traceparent)


# Requests


async def answer(_ctx: object, _call: Call[None]) -> list[str | None]:
    return [current()]


async def refuse(_ctx: object, _call: Call[None]) -> None:
    raise Conflict("not now")


async def fail(_ctx: object, _call: Call[None]) -> None:
    raise RuntimeError("the key is hunter2")


async def nobody(_ctx: object, _request: object) -> Account:
    raise AssertionError("no route of this test needs an account")


async def nothing() -> None:
    return


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    rows = (
        Endpoint("GET", "/things/{thing_id:int}", answer, None),
        Endpoint("GET", "/refused", refuse, None),
        Endpoint("GET", "/broken", fail, None),
    )
    service = Service("web", cast(Database, None), nothing, routes=routes(None, rows, nobody))
    transport = httpx.ASGITransport(application([service], cast(Bus, None)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerpal") as client:
        yield client


async def test_a_request_is_a_span_of_its_route_in_its_senders_trace(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    inside = await client.get("/things/4711?api_key=hunter2", headers={"traceparent": ONE, "X-Request-ID": "r1"})

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind.name, parent_of(span)) == ("GET /things/{thing_id:int}", "SERVER", ids(ONE))
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "http.route": "/things/{thing_id:int}",
        "pagerpal.request.id": "r1",
    }
    assert span.context is not None
    assert inside.json() == [f"00-{'1' * 32}-{span.context.span_id:016x}-01"]


async def test_a_request_that_brings_no_good_trace_begins_one(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    for headers in ([], [("traceparent", "nonsense")], [("traceparent", ONE), ("traceparent", OTHER)]):
        await client.get("/things/1", headers=headers)

    assert [parent_of(span) for span in spans.get_finished_spans()] == [None, None, None]


async def test_a_sender_that_does_not_sample_is_followed_in_that(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    inside = (await client.get("/things/1", headers={"traceparent": UNSAMPLED})).json()[0]

    assert spans.get_finished_spans() == ()
    assert (ids(inside)[0], inside[-2:]) == ("3" * 32, "00")


async def test_only_what_is_our_own_fault_is_a_failed_span_and_it_quotes_nothing(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await client.get("/refused")
    await client.get("/broken")
    await client.get("/made-up-by-a-stranger-hunter2")

    seen = {span.name: span.status.is_ok for span in spans.get_finished_spans()}
    assert seen == {"GET /refused": True, "GET /broken": False, "GET": True}
    assert not any("hunter2" in span.to_json() for span in spans.get_finished_spans())


async def test_probes_are_no_spans(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.get("/livez")

    assert spans.get_finished_spans() == ()


async def test_while_tracing_is_off_a_senders_trace_goes_no_further(client: httpx.AsyncClient) -> None:
    assert (await client.get("/things/1", headers={"traceparent": ONE})).json() == [None]


# Messages


def test_a_message_goes_on_in_the_trace_and_the_request_that_it_is_said_in() -> None:
    with caused_by("r1", ONE):
        said = Done(occurred_at=NOW)

    assert (said.request_id, said.traceparent) == ("r1", ONE)
    assert (Done(occurred_at=NOW).request_id, Done(occurred_at=NOW).traceparent) == (None, None)


class Handled:
    """A lane, and what its handler found around it."""

    def __init__(self, *, is_batch: bool, error: Exception | None = None) -> None:
        self.seen: list[tuple[Sequence[Done], str | None, str | None]] = []
        self.outcomes: list[Outcome] = []
        self._error = error
        subscription = BatchSubscription(Done, self._handle_all, 10) if is_batch else Subscription(Done, self._handle)
        self._lane = Lane[None](subscription, self._settle, concurrency=1)

    async def take(self, *messages: Done) -> None:
        for message in messages:
            self._lane._waiting.append(Delivery(message, None))
        self._lane._start_what_fits()
        await until(lambda: len(self.outcomes) == len(messages))
        await self._lane.stop()

    async def _handle_all(self, messages: Sequence[Done]) -> list[None]:
        self.seen.append((messages, get_contextvars().get("request_id"), current()))
        if self._error is not None:
            raise self._error
        return [None] * len(messages)

    async def _handle(self, message: Done) -> None:
        await self._handle_all([message])

    async def _settle(self, _delivery: Delivery[None], outcome: Outcome) -> None:
        self.outcomes.append(outcome)


@pytest.mark.parametrize("is_batch", [False, True])
async def test_a_message_alone_is_handled_in_its_request_and_its_trace(
    is_batch: bool, spans: InMemorySpanExporter
) -> None:
    handled = Handled(is_batch=is_batch)

    await handled.take(done("r1", ONE))

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind.name, parent_of(span)) == ("process thing.done.v1", "CONSUMER", ids(ONE))
    assert (span.attributes or {})["pagerpal.incident.id"] == 7
    (([message], request_id, around),) = handled.seen
    assert request_id == "r1"
    assert around == message.traceparent
    assert parent_of(span) != ids(around or "")
    assert ids(around or "")[0] == "1" * 32


async def test_each_message_of_a_batch_has_a_span_in_its_own_trace_and_none_lends_the_batch_its_name(
    spans: InMemorySpanExporter,
) -> None:
    handled = Handled(is_batch=True)

    with bound_contextvars(request_id="whoever-was-first"), within(OTHER):
        await handled.take(done("r1", ONE), done("r2", OTHER), done("r3"))

    ((messages, request_id, around),) = handled.seen
    assert (request_id, around) == (None, None)
    assert [message.traceparent and ids(message.traceparent)[0] for message in messages] == ["1" * 32, "2" * 32, None]
    assert [parent_of(span) for span in spans.get_finished_spans()] == [ids(ONE), ids(OTHER)]


async def test_a_batch_of_one_request_is_named_by_it() -> None:
    handled = Handled(is_batch=True)

    await handled.take(done("r1"), done("r1"))

    assert [request_id for _, request_id, _ in handled.seen] == ["r1"]


async def test_a_handler_that_fails_fails_its_span_without_a_word_of_the_error(spans: InMemorySpanExporter) -> None:
    await Handled(is_batch=False, error=Conflict("ana's key is hunter2")).take(done("r1", ONE))

    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert (span.attributes or {})["error.type"] == "Conflict"
    assert "hunter2" not in span.to_json()


async def test_while_tracing_is_off_a_message_keeps_the_trace_it_came_with() -> None:
    handled = Handled(is_batch=True)

    await handled.take(done("r1", ONE))

    assert [(messages[0].traceparent, around) for messages, _, around in handled.seen] == [(ONE, ONE)]


def test_what_goes_to_the_bus_for_several_is_a_span_of_the_first_linked_to_the_others(
    spans: InMemorySpanExporter,
) -> None:
    incidents = tuple(
        TriggeredIncident(incident_id=1, escalation_id=1, traceparent=trace) for trace in (ONE, OTHER, ONE, None)
    )
    with producing(IncidentsTriggered(incidents=incidents, occurred_at=NOW)):
        pass
    with producing(done()):
        pass

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind.name, parent_of(span)) == ("send incidents.triggered.v1", "PRODUCER", ids(ONE))
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["2" * 32]


# Groups


async def test_a_group_of_one_goes_on_in_its_request_and_a_larger_one_in_none() -> None:
    around: list[tuple[int, Any, str | None]] = []

    async def send(items: Sequence[int], _wait: float) -> Sequence[None]:
        around.append((len(items), get_contextvars().get("request_id"), current()))
        return [None] * len(items)

    gatherer = Gatherer("things", send, Limits(group=10, under_way=1, waiting=10, wait=5.0))

    async def put(number: int, request_id: str, traceparent: str) -> None:
        with caused_by(request_id, traceparent):
            await gatherer.put(number)

    await put(1, "r1", ONE)
    await asyncio.gather(put(2, "r2", ONE), put(3, "r3", OTHER))

    assert around == [(1, "r1", ONE), (2, None, None)]


# Logs


def test_a_line_names_the_trace_and_the_span_that_it_was_written_in() -> None:
    with within(ONE):
        inside = _name_cause(None, "info", {"event": "x", "request_id": None})

    assert inside == {"event": "x", "trace_id": "1" * 32, "span_id": "1" * 16}
    assert _name_cause(None, "info", {"event": "x", "request_id": "r1"}) == {"event": "x", "request_id": "r1"}
