"""What does an SRE see of one alert in the traces and in the logs of five processes?"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployment import Deployment, distributed, free_ports
from tests.e2e.fake_collector import FakeCollector, Seen, fake_collector
from tests.e2e.fake_infobip import API_KEY, fake_infobip
from tests.e2e.pagerpal import Pagerpal, Team, minutes, story

SENDERS_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDERS_SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"00-{SENDERS_TRACE}-{SENDERS_SPAN}-01"

WAY = (
    ("pagerpal-ingest", "server", "POST /api/v1/alerts"),
    ("pagerpal-incidents", "consumer", "process alerts.received.v1"),
    ("pagerpal-escalator", "consumer", "process incidents.triggered.v1"),
    ("pagerpal-escalator", "internal", "plan escalation"),
    ("pagerpal-incidents", "consumer", "process incident.escalate.v1"),
    ("pagerpal-notifier", "internal", "send page"),
    ("pagerpal-notifier", "client", "call infobip"),
)
"""Each span of a page's way, from its parent to its child."""

OF_THE_TIMER = WAY[3:]
"""The way of a page of a later level, which begins with a look at the time."""

ASIDE = (
    ("pagerpal-ingest", "producer", "send alerts.received.v1"),
    ("pagerpal-incidents", "producer", "send incidents.triggered.v1"),
    ("pagerpal-escalator", "producer", "send incident.escalate.v1"),
    ("pagerpal-notifier", "consumer", "process page.requested.v1"),
)
"""What is beside the way, in the same trace."""


@pytest.fixture
def traced(corner: tuple[str, str], tmp_path: Path) -> Iterator[tuple[Deployment, FakeCollector]]:
    """Five processes that send their spans to a collector."""
    with fake_collector() as collector, exporting_to(collector.url, corner, tmp_path) as deployment:
        yield deployment, collector


@contextmanager
def exporting_to(url: str, corner: tuple[str, str], directory: Path) -> Iterator[Deployment]:
    database, amqp_url = corner
    with (
        fake_infobip() as infobip,
        distributed(
            directory,
            infobip,
            database,
            amqp_url,
            None,
            OTEL_EXPORTER_OTLP_ENDPOINT=url,
            OTEL_BSP_SCHEDULE_DELAY="100",
        ) as deployment,
    ):
        yield deployment


def what(span: Seen) -> tuple[str, str, str]:
    return span.service, span.kind, span.name


async def senders_trace(pagerpal: Pagerpal, collector: FakeCollector) -> list[Seen]:
    """The trace that the sender began, once its whole way and what is beside it are there."""

    async def is_whole() -> list[Seen]:
        spans = collector.traces().get(SENDERS_TRACE, [])
        return spans if {*WAY, *ASIDE} <= {what(span) for span in spans} else []

    try:
        found: list[Seen] = await pagerpal.until("the sender's trace is whole", is_whole)
    except AssertionError:
        seen = {what(span) for span in collector.traces().get(SENDERS_TRACE, [])}
        raise AssertionError(f"of the trace is missing: {sorted({*WAY, *ASIDE} - seen)}") from None
    return found


async def trace_of_the_timer(pagerpal: Pagerpal, collector: FakeCollector) -> list[Seen]:
    """Another trace that leads to a page, once it is whole."""

    async def there() -> list[Seen]:
        others = [spans for trace_id, spans in collector.traces().items() if trace_id != SENDERS_TRACE]
        return next((spans for spans in others if set(OF_THE_TIMER) <= {what(span) for span in spans}), [])

    found: list[Seen] = await pagerpal.until("there is another trace with a page", there)
    return found


def chain(spans: Sequence[Seen], last: str) -> list[tuple[str, str, str]]:
    """The way that leads to the span of this name, from its root."""
    by_id = {span.span_id: span for span in spans}
    (span,) = [span for span in spans if span.name == last]
    way = [span]
    while (parent := by_id.get(way[0].parent_id)) is not None:
        way.insert(0, parent)
    return [what(span) for span in way]


def lines(deployment: Deployment) -> list[dict[str, Any]]:
    """What the five have logged; the end of a line that is still being written is not there yet."""
    whole = [line for line in deployment.log.splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole if line.startswith("{")]


async def until_said(pagerpal: Pagerpal, request_id: str, *wanted: tuple[str, str]) -> list[dict[str, Any]]:
    """Wait for what the logs say of a request, each as its package and event; all lines of that request.

    A service writes its line after its answer or its message has left, so the one who hears it can be too early.
    """

    async def there() -> list[dict[str, Any]]:
        found = [line for line in lines(pagerpal.deployment) if line.get("request_id") == request_id]
        return found if set(wanted) <= {(line["logger"].split(".")[0], line["event"]) for line in found} else []

    said: list[dict[str, Any]] = await pagerpal.until(f"the logs say {wanted} of request {request_id}", there)
    return said


def nothing_secret(pagerpal: Pagerpal, team: Team, raw: bytes) -> None:
    phones = [person.phone.lstrip("+") for person in pagerpal.people.values()]
    emails = [person.email for person in pagerpal.people.values()]
    for secret in (team.api_key, API_KEY, "Disk full", "db1.example.org", *phones, *emails):
        assert secret.encode() not in raw, secret


async def test_an_alert_and_its_page_are_one_trace_through_four_processes(
    traced: tuple[Deployment, FakeCollector],
) -> None:
    deployment, collector = traced
    async with story(deployment) as pagerpal:
        team = await pagerpal.given_team([["ana"], ["ben"]])
        alert = {"title": "Disk full", "description": "db1.example.org", "severity": "critical", "external_id": "d1"}

        answer = await pagerpal.ingest.post(
            "/api/v1/alerts",
            params={"api_key": team.api_key},
            json=alert,
            headers={"traceparent": TRACEPARENT, "X-Request-ID": "the-sender-s-own-number"},
        )
        assert answer.status_code == 201
        incident_id = answer.json()["id"]
        pagerpal.incidents.add(incident_id)
        sms = await pagerpal.expect_sms("ana")

        spans = await senders_trace(pagerpal, collector)
        assert chain(spans, "call infobip") == list(WAY)
        (post,) = [span for span in spans if span.kind == "server"]
        assert post.parent_id == SENDERS_SPAN
        assert post.attributes["http.response.status_code"] == 201
        assert all(span.attributes["pagerpal.incident.id"] == incident_id for span in spans if span.kind == "consumer")
        (called,) = [span for span in spans if span.kind == "client"]
        assert (called.attributes["pagerpal.channel"], called.attributes["pagerpal.outcome"]) == ("sms", "accepted")
        assert not any(span.is_failed for span in spans)
        assert {span.span_id for span in spans} >= {span.parent_id for span in spans} - {SENDERS_SPAN}
        assert [trace for trace, some in collector.traces().items() if any(one.kind == "client" for one in some)] == [
            SENDERS_TRACE
        ]
        assert "traceparent" not in str(sms).lower()

        pagerpal.allow_calls("ana", "ben")
        await pagerpal.advance(minutes(5))
        await pagerpal.expect_sms("ben")

        later = await trace_of_the_timer(pagerpal, collector)
        assert chain(later, "call infobip") == list(OF_THE_TIMER)
        (planned,) = [span for span in later if span.name == "plan escalation"]
        assert planned.links == (SENDERS_TRACE,)
        nothing_secret(pagerpal, team, b"".join(collector.raw))


async def test_one_number_finds_an_alert_in_the_log_of_every_service(traced: tuple[Deployment, FakeCollector]) -> None:
    deployment, _ = traced
    async with story(deployment) as pagerpal:
        team = await pagerpal.given_team([["ana"]])

        answer = await pagerpal.send_alert(team)
        pagerpal.incidents.add(answer.json()["id"])
        await pagerpal.expect_sms("ana")
        await pagerpal.expect_quiet()

        number, incident_id = answer.headers["X-Request-ID"], answer.json()["id"]
        found = await until_said(
            pagerpal,
            number,
            ("pagerpal_incidents", "incident.opened"),
            ("pagerpal_escalator", "escalation.asked"),
            ("pagerpal_incidents", "incident.level_entered"),
            ("pagerpal_notifier", "page.taken_up"),
            ("pagerpal_notifier", "send.sent"),
        )
        assert {line["incident_id"] for line in found} == {incident_id}
        (opened,) = [line for line in found if line["event"] == "incident.opened"]
        assert len(opened["alert_id"]) == 36
        (sent,) = [line for line in found if line["event"] == "send.sent"]
        assert len({sent["trace_id"], *(line["trace_id"] for line in found if "trace_id" in line)}) == 1

        acknowledged = await pagerpal.acknowledge(incident_id, by="ana")

        await until_said(
            pagerpal,
            acknowledged.headers["X-Request-ID"],
            ("pagerpal_common", "request"),
            ("pagerpal_incidents", "incident.changed"),
        )


async def test_a_collector_that_is_away_holds_up_no_page_and_is_said_once(
    corner: tuple[str, str], tmp_path: Path
) -> None:
    with exporting_to(f"http://127.0.0.1:{free_ports(1)[0]}", corner, tmp_path) as deployment:
        async with story(deployment) as pagerpal:
            team = await pagerpal.given_team([["ana"]])

            await pagerpal.open_incident(team)
            await pagerpal.expect_sms("ana")
            await pagerpal.expect_quiet()

            def complaints() -> list[str]:
                return [line["reason"] for line in lines(deployment) if line["event"] == "tracing.spans_lost"]

            async def all_have_said_so() -> bool:
                return len(complaints()) >= 5

            await pagerpal.until("each service has said that its spans are lost", all_have_said_so)
            assert len(complaints()) == 5
