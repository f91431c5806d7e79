"""What can Prometheus ask of a process? Every number there is, in one table; `docs/operations.md` says what they mean.

Names follow Prometheus's conventions (prometheus.io/docs/practices/naming): base units, `_total` for what only grows.
No label holds anything that a sender, a person or an incident could make endlessly many of, and none has a name that
Prometheus gives to whatever it scrapes (`job`, `instance`, `service`, …): it would rename ours. What several processes
count together (open incidents, what is due) is asked of the database by web alone, when it is scraped.
"""

from collections.abc import Iterable
from itertools import product

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_PAGE_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)

REQUESTS = Histogram(
    "pagerpal_http_request_duration_seconds",
    "Requests by route, from the first byte read to the last byte given away.",
    ("method", "route", "status"),
    buckets=_REQUEST_SECONDS,
)
ALERTS = Counter(
    "pagerpal_alerts_total",
    "Alerts and requests of alert sources by what they came to, as ingest answered them.",
    ("outcome",),
)
INTAKE = Counter("pagerpal_alerts_handled_total", "Alerts by what they did, as they were committed.", ("outcome",))
MESSAGES = Histogram(
    "pagerpal_message_duration_seconds",
    "Messages of the bus by topic and outcome: how long their handler took. A batch counts each of its messages.",
    ("topic", "outcome"),
    buckets=_REQUEST_SECONDS,
)
LOOPS = Counter("pagerpal_loop_runs_total", "Looks of each loop, by result.", ("loop", "result"))
LOOP_SUCCESS = Gauge("pagerpal_loop_last_success_timestamp_seconds", "When each loop last succeeded.", ("loop",))
HOPS = Histogram(
    "pagerpal_hop_duration_seconds",
    "Where a page's time goes. open: alert accepted until its incident is committed; escalate: from there until its "
    "first level is entered; send: page due until its provider has accepted it.",
    ("hop",),
    buckets=_PAGE_SECONDS,
)
PAGES = Histogram(
    "pagerpal_page_latency_seconds",
    "From the acceptance of an incident's first alert until a provider has accepted its first page to a person.",
    ("channel",),
    buckets=_PAGE_SECONDS,
)
NOTIFICATIONS = Counter(
    "pagerpal_notifications_total",
    "Notifications by channel and the status that they came to; one that is tried again may come to several.",
    ("channel", "status"),
)
PROVIDER_CALLS = Histogram(
    "pagerpal_provider_call_duration_seconds",
    "Calls to providers by what they came to.",
    ("provider", "verdict"),
    buckets=_REQUEST_SECONDS,
)

OPEN_INCIDENTS = Gauge("pagerpal_incidents_open", "Incidents that are not resolved.", ("status", "severity"))
JOB_DUE = Gauge("pagerpal_job_due", "What waits to be done by each job, counted up to 1000.", ("name",))
JOB_OLDEST = Gauge("pagerpal_job_oldest_due_seconds", "How long the oldest of it has been due.", ("name",))
JOB_HEALTHY = Gauge("pagerpal_job_healthy", "1 while a job is done as it should be.", ("name",))
AUDITOR_RED = Gauge("pagerpal_auditor_red", "1 while a promise is found broken (docs/guarantees.md).", ("check",))
AUDITOR_BREACHES = Gauge("pagerpal_auditor_breaches", "What the auditor's last look has found.", ("check",))
PARKED_ALERTS = Gauge("pagerpal_parked_alerts", "Alerts kept aside for an operator because they cannot be handled.")
PARKED_MESSAGES = Gauge("pagerpal_parked_messages", "Messages that nobody could handle, in the queue pagerpal.parked.")
CIRCUIT_OPEN = Gauge(
    "pagerpal_provider_circuit_open",
    "1 while a provider is left alone because of its troubles. One that never had any has no sample.",
    ("provider",),
)
READY = Gauge("pagerpal_ready", "1 while this process can do what it is there for: what /readyz says.")
SCRAPE_FAILED = Gauge("pagerpal_scrape_failed", "1 when the database could not be asked for the numbers above.")


class Pools(Collector):
    """The connections of each database pool, counted when they are asked for."""

    def __init__(self) -> None:
        self._pools: dict[str, tuple[int, object]] = {}

    def watch(self, name: str, size: int, pool: object) -> None:
        """Count this pool from now on; a later one of the same name takes its place."""
        self._pools[name] = (size, pool)

    def collect(self) -> Iterable[Metric]:
        used = GaugeMetricFamily("pagerpal_db_pool_in_use", "Connections that are in use.", labels=["role"])
        size = GaugeMetricFamily("pagerpal_db_pool_size", "Connections at most.", labels=["role"])
        for name, (limit, pool) in self._pools.items():
            used.add_metric([name], pool.checkedout())  # type: ignore[attr-defined]
            size.add_metric([name], limit)
        return (used, size)


POOLS = Pools()
REGISTRY.register(POOLS)


def begin_at_zero(metric: Counter | Histogram, *labels: Iterable[str]) -> None:
    """Tell of every combination of these labels before it has happened: `rate` does not see a sample's first value, so
    that the first failure would be missed (prometheus.io/docs/practices/instrumentation, "Avoid missing metrics")."""
    for values in product(*labels):
        metric.labels(*values)


def exposition() -> bytes:
    """Everything there is at this moment, in Prometheus's text format."""
    return generate_latest(REGISTRY)
