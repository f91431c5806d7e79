"""What does a real Prometheus see of the five processes, after somebody was paged, and when one of them is gone?"""

from collections.abc import Iterator

import httpx
import pytest
from pagerpal_common.testing.rabbitmq import RabbitMQNode

from tests.deploy.conftest import Demo
from tests.deploy.installation import SERVICES, Installation
from tests.deploy.test_alerts import rules
from tests.deploy.test_dashboard import names_in, queries
from tests.deploy.watching import Prometheus, watching

WELL = {"Providers left alone", "Messages that were not handled", "Errors"}
"""Panels that show nothing while all is well."""

ONLY_IN_TROUBLE = {"ALERTS", "pagerpal_provider_circuit_open"}


@pytest.fixture(scope="module")
def seen(
    here: Installation, broker: RabbitMQNode, demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus that has seen one person paged: of one alert, that came twice."""
    with watching(here, broker, tmp_path_factory.mktemp("prometheus")) as prometheus:
        for service in SERVICES:
            prometheus.wait_for(f'up{{job="pagerpal", service="{service}"}} == 1')
        prometheus.wait_for('up{job="pagerpal-broker"} == 1')
        prometheus.wait_for('count_over_time(pagerpal_notifications_total{channel="sms", status="sent"}[1m]) > 1')
        page_somebody(here, demo)
        prometheus.wait_for('rate(pagerpal_page_latency_seconds_count{channel="sms"}[1m]) > 0')
        prometheus.wait_for('rate(pagerpal_alerts_handled_total{outcome="updated"}[1m]) > 0')
        yield prometheus


def page_somebody(here: Installation, demo: Demo) -> None:
    with httpx.Client(base_url=here.url, timeout=30, trust_env=False) as client:

        def post(path: str, **body: object) -> dict[str, str]:
            answer = client.post(f"/api/v1{path}", json=body, auth=demo.admin)
            assert answer.is_success, answer.text
            return dict(answer.json())

        user = post("/users", name="Mo", email="mo@example.org", role="responder", phone="+49309876543")
        team = post("/teams", name="Watched")["id"]
        post(f"/teams/{team}/members", user_id=user["id"])
        key = post("/alert-sources", team_id=team, name="Metrics", source_type="generic")["api_key"]
        alert = {"title": "Disk full", "severity": "critical", "external_id": "disk"}
        for _ in range(2):
            assert client.post("/api/v1/alerts", json=alert, headers={"X-API-Key": key}).is_success


@pytest.mark.parametrize(("panel", "expression"), queries())
def test_every_panel_shows_something(seen: Prometheus, panel: str, expression: str) -> None:
    if panel in WELL:
        seen.query(expression)
    else:
        seen.wait_for(expression)


def test_every_metric_that_is_asked_for_is_told(seen: Prometheus) -> None:
    told = set(seen.get("label/__name__/values"))
    expressions = [expression for _, expression in queries()] + [rule["expr"] for rule in rules()]

    asked = {name for expression in expressions for name in names_in(expression)}
    assert asked - told <= ONLY_IN_TROUBLE


def test_a_label_of_ours_is_not_renamed(seen: Prometheus) -> None:
    assert not [name for name in seen.get("labels") if name.startswith("exported_")]
    ready = seen.query("pagerpal_ready")
    assert {(labels["job"], labels["service"], value) for labels, value in ready} == {
        ("pagerpal", service, 1.0) for service in SERVICES
    }


def test_queues_of_the_broker_are_told_by_name(seen: Prometheus) -> None:
    found = seen.query('rabbitmq_detailed_queue_messages_ready{job="pagerpal-broker", vhost="pagerpal"}')

    assert {"notifier.page.requested.v1", "pagerpal.parked"} <= {labels["queue"] for labels, _ in found}


def test_no_alert_is_on_its_way_while_all_is_well(seen: Prometheus) -> None:
    groups = seen.get("rules")["groups"]
    assert all(rule["health"] == "ok" for group in groups for rule in group["rules"]), groups

    seen.wait_for("absent(ALERTS)")


def test_a_service_that_is_gone_is_on_its_way_to_an_alert(here: Installation, seen: Prometheus) -> None:
    here.replicas["escalator"].pop().stop()
    try:
        gone = 'ALERTS{alertname="PagerPalServiceDown", service="escalator", severity="critical"}'
        ((labels, _),) = seen.wait_for(gone)

        assert labels["alertstate"] in {"pending", "firing"}
        others = seen.query('ALERTS{alertname=~"PagerPalServiceDown|PagerPalSilent"}')
        assert {one["service"] for one, _ in others} == {"escalator"}
    finally:
        here.start("escalator")
