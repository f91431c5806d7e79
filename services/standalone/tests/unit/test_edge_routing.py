"""Which service does the edge send a path to?"""

import pytest
from pagerpal_standalone.edge import service_for


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/alerts",
        "/api/v1/alerts/",
        "/api/v1/webhooks/grafana",
        "/api/v1/webhooks/cloudwatch",
        "/api/v1/webhooks/alertmanager",
        "/v2/enqueue",
        "/api/v1/notifications/infobip/receipts",
        "/api/v1/notifications/infobip/inbound",
    ],
)
def test_what_monitoring_systems_and_the_provider_call_goes_to_ingest(path: str) -> None:
    assert service_for(path) == "ingest"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/health",
        "/api/v1/alert-sources",
        "/api/v1/alert-sources/1/regenerate-key",
        "/api/v1/alertsx",
        "/api/v1/notification-rules",
        "/api/v1/incidents/1/ack",
        "/api/v1",
        "/v2",
        "/x/api/v1/alerts",
        "//api/v1/alerts/../users",
        "/API/V1/ALERTS",
    ],
)
def test_everything_else_goes_to_web(path: str) -> None:
    assert service_for(path) == "web"
