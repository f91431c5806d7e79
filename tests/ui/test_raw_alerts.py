"""Somebody looks at an alert as it was sent: at a desk, on a telephone, and without JavaScript."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.deployment import Deployment
from tests.ui.conftest import Open
from tests.ui.test_every_page import LOOKS, check
from tests.ui.world import World

RULE = "https://grafana.example/alerting/grafana/1afz29v7z/view?orgId=1&from=now-1h&to=now&" + "x" * 200


def firing(fingerprint: str, *, status: str = "firing") -> dict[str, Any]:
    return {
        "receiver": "pagerpal",
        "status": status,
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": "<b>Disk almost full</b>", "instance": "db-1", "severity": "critical"},
                "annotations": {"summary": "Disk almost full on db-1 \u202egnp.exe"},
                "startsAt": "2026-05-21T11:50:00Z",
                "endsAt": "2026-05-21T12:50:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
                "generatorURL": RULE,
                "fingerprint": fingerprint,
                "values": {"A": 97.25, "C": 1},
            }
        ],
        "commonLabels": {"job": "node"},
        "groupKey": '{}/{team="platform"}:{alertname="Disk almost full"}',
    }


def sent(deployment: Deployment, world: World) -> int:
    """An incident of which its source has said two things, the second very long; its id."""
    name = uuid4().hex
    over = {**firing(name, status="resolved"), "message": "long " * 5000}
    first, _ = [
        httpx.post(
            f"{deployment.url}/api/v1/webhooks/grafana", json=body, headers={"X-API-Key": world.source_key}, timeout=20
        )
        for body in (firing(name), over)
    ]
    assert first.status_code == 201, first.text
    number: int = first.json()["id"]
    return number


@pytest.mark.parametrize("look", LOOKS)
def test_an_alert_as_it_was_sent_is_readable(open_page: Open, deployment: Deployment, world: World, look: str) -> None:
    viewport, scheme = LOOKS[look]
    page = open_page(f"/incidents/{sent(deployment, world)}", viewport=viewport, scheme=scheme)
    summary = page.locator("#raw > summary")
    expect(page.locator("#raw-first")).to_be_hidden()

    summary.focus()
    page.keyboard.press("Enter")

    expect(page.locator("#raw-first")).to_contain_text('"alertname": "<b>Disk almost full</b>"')
    expect(page.locator("#raw-first")).to_contain_text("\\u202egnp.exe")
    expect(page.locator("#raw-last")).to_contain_text('"status": "resolved"')
    expect(page.locator("#raw")).to_contain_text("Cut after 16 KiB of 2")
    check(page, f"raw-alert-{look}")


def test_it_is_copied_with_one_press(open_page: Open, deployment: Deployment, world: World) -> None:
    number = sent(deployment, world)
    page = open_page(f"/incidents/{number}", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#raw > summary").click()
    button = page.locator("#raw [data-copy=raw-first]")

    button.click()

    expect(button).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith('{\n  "receiver": "pagerpal",')


def test_it_can_be_read_without_javascript(open_page: Open, deployment: Deployment, world: World) -> None:
    page = open_page(f"/incidents/{sent(deployment, world)}", java_script_enabled=False)

    page.locator("#raw > summary").click()

    expect(page.locator("#raw-first")).to_be_visible()
    expect(page.locator("#raw [data-copy]").first).to_be_hidden()
