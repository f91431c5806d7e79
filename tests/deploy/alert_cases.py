"""What makes each alert fire, and what comes close and does not? Read by `promtool test rules` (test_alerts.py).

Series are written as promtool does: `0+4x20` begins at 0 and grows by 4, 20 times; `_` is no sample, `1x20` 20 times 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Series = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """One alert: what is told every 15 seconds, and when it is looked at."""

    alert: str
    labels: Mapping[str, str]
    fires: Series
    quiet: Series
    never: Series | None = None
    """Other series that must not fire it."""
    at: str = "5m"
    quiet_at: str | None = None
    """When the second is looked at, if not at the same time: while it holds, and has not for long enough."""


FIVE = ("ingest", "incidents", "escalator", "notifier", "web")


def ready(**services: str) -> Series:
    """The five services, ready, but for these."""
    values = dict.fromkeys(FIVE, "1x40") | services
    return {told("pagerpal_ready", service=name, instance=f"{name}:9090"): value for name, value in values.items()}


def told(metric: str, /, **labels: str) -> str:
    """A sample's name, with the label that every scrape of PagerPal has."""
    return f"{metric}{{{', '.join(f'{name}={value!r}' for name, value in {'job': 'pagerpal', **labels}.items())}}}"


def pages(in_time: str, all_of_them: str) -> Series:
    return {
        told("pagerpal_page_latency_seconds_bucket", channel="sms", le="10.0"): in_time,
        told("pagerpal_page_latency_seconds_count", channel="sms"): all_of_them,
    }


def notifications(sent: str, failed: str) -> Series:
    return {
        told("pagerpal_notifications_total", channel="sms", status="sent"): sent,
        told("pagerpal_notifications_total", channel="sms", status="failed"): failed,
        told("pagerpal_notifications_total", channel="email", status="sent"): "0+1x80",
        told("pagerpal_notifications_total", channel="email", status="failed"): "0x80",
    }


def requests(good: str, bad: str) -> Series:
    metric, route = "pagerpal_http_request_duration_seconds_count", "/api/v1/alerts"
    return {
        told(metric, service="ingest", route=route, status="200"): good,
        told(metric, service="ingest", route=route, status="503"): bad,
        told(metric, service="web", route="/", status="503"): "0+9x40",
    }


def pool(in_use: str) -> Series:
    place = {"service": "web", "instance": "web:9090", "role": "web"}
    return {told("pagerpal_db_pool_in_use", **place): in_use, told("pagerpal_db_pool_size", **place): "10x40"}


def queue(messages: str) -> Series:
    metric = "rabbitmq_detailed_queue_messages_ready"
    return {
        told(metric, job="pagerpal-broker", queue="notifier.page.requested.v1", vhost="pagerpal"): messages,
        told(metric, job="pagerpal-broker", queue="pagerpal.parked", vhost="pagerpal"): "5000x40",
    }


def oldest(name: str, seconds: str) -> Series:
    return {
        told("pagerpal_job_oldest_due_seconds", name=name, service="web", instance="web-1:9090"): seconds,
        told("pagerpal_job_oldest_due_seconds", name=name, service="web", instance="web-2:9090"): "0x40",
    }


def failed_scrape(value: str) -> Series:
    """Web's, and that of a service which has nothing to ask."""
    return {
        told("pagerpal_scrape_failed", service="web", instance="web:9090"): value,
        told("pagerpal_scrape_failed", service="ingest", instance="ingest:9090"): "1x40",
    }


CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}

CASES = (
    Case("PagerPalSilent", CRITICAL | {"job": "pagerpal"}, fires={"up": "1x40"}, quiet=ready(web="0x40")),
    # Its last replica is gone from the list, as when nobody can be scheduled; a restart that takes a minute; and
    # silence, which has an alert of its own.
    Case(
        "PagerPalServiceDown",
        CRITICAL | {"service": "notifier"},
        fires=ready(notifier="1x2 _x40"),
        quiet=ready(notifier="1x10 0x4 1x40"),
        never={},
        at="9m",
        quiet_at="3m45s",
    ),
    Case(
        "PagerPalReplicaDown",
        WARNING | {"job": "pagerpal", "service": "web", "instance": "web-2:9090"},
        fires={told("up", service="web", instance="web-2:9090"): "0x80", **ready()},
        quiet={told("up", service="web", instance="web-2:9090"): "0x30 1x50", **ready()},
        at="12m",
        quiet_at="7m30s",
    ),
    Case("PagerPalNotMeasured", CRITICAL, fires=failed_scrape("1x40"), quiet=failed_scrape("0x14 1x26")),
    Case(
        "PagerPalAuditorRed",
        CRITICAL | {"check": "levels_on_time"},
        fires={told("pagerpal_auditor_red", check="levels_on_time", instance="web:9090"): "1x40"},
        quiet={told("pagerpal_auditor_red", check="levels_on_time", instance="web:9090"): "0x40"},
    ),
    Case(
        "PagerPalPagesOverdue",
        CRITICAL | {"name": "escalation"},
        fires=oldest("escalation", "31x40"),
        quiet=oldest("escalation", "29x40"),
    ),
    Case("PagerPalSpoolWaits", CRITICAL, fires=oldest("alert_spool", "31x40"), quiet=oldest("alert_spool", "29x40")),
    # The minutes after a start, in which not every loop has run; and the doorbell, which has its own.
    Case(
        "PagerPalJobUnhealthy",
        CRITICAL | {"name": "auditor"},
        fires={told("pagerpal_job_healthy", name="auditor", instance="web:9090"): "0x40"},
        quiet={
            told("pagerpal_job_healthy", name="auditor", instance="web:9090"): "1x11 0x28",
            told("pagerpal_job_healthy", name="outbox_relay", instance="web:9090"): "0x40",
        },
    ),
    Case("PagerPalOutboxOld", WARNING, fires=oldest("outbox_relay", "31x40"), quiet=oldest("escalation", "31x40")),
    Case(
        "PagerPalAlertsParked",
        CRITICAL,
        fires={told("pagerpal_parked_alerts", service="web"): "1x40"},
        quiet={told("pagerpal_parked_alerts", service="web"): "0x40"},
    ),
    Case(
        "PagerPalMessagesParked",
        WARNING,
        fires={told("pagerpal_parked_messages", service="web"): "1x40"},
        quiet={told("pagerpal_parked_messages", service="web"): "0x40"},
        at="7m",
    ),
    # One page a minute, of which one in five is late; and two late ones of five, which are not many.
    Case(
        "PagerPalPagesLate",
        CRITICAL,
        fires=pages("0+0.2x260", "0+0.25x260"),
        quiet=pages("0+1x3 3x200", "0+1x3 4 5x200"),
        at="62m",
        quiet_at="3m",
    ),
    Case(
        "PagerPalPagesOftenLate",
        WARNING,
        fires=pages("0+0.9x1500", "0+1x1500"),
        quiet=pages("0+0.95x1500", "0+1x1500"),
        at="6h10m",
    ),
    # Most; and all of four, which is what one wrong number makes.
    Case(
        "PagerPalNotificationsFail",
        CRITICAL | {"channel": "sms"},
        fires=notifications("0x20 0+1x60", "0x20 0+2x60"),
        quiet=notifications("0x80", "0x20 0+1x4 4x60"),
        at="15m",
    ),
    Case(
        "PagerPalProviderAway",
        CRITICAL | {"provider": "infobip"},
        fires={told("pagerpal_provider_circuit_open", provider="infobip", service="web"): "1x40"},
        quiet={told("pagerpal_provider_circuit_open", provider="infobip", service="web"): "1x5 0x40"},
        quiet_at="1m15s",
    ),
    Case("PagerPalIntakeFails", CRITICAL, fires=requests("0+90x40", "0+10x40"), quiet=requests("0+96x40", "0+4x40")),
    Case(
        "PagerPalPoolExhausted",
        WARNING | {"job": "pagerpal", "service": "web", "instance": "web:9090", "role": "web"},
        fires=pool("10x40"),
        quiet=pool("10x10 9 10x28"),
        quiet_at="4m",
    ),
    Case(
        "PagerPalQueueDeep",
        WARNING | {"queue": "notifier.page.requested.v1"},
        fires=queue("1001x40"),
        quiet=queue("1000x40"),
        at="7m",
    ),
)
