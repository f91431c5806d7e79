"""Has somebody pressed a "Test" button of Grafana's? Then they want to see that it arrives, and nobody is to be woken.

A name alone is never enough: people call real alerts so.
"""

from collections.abc import Mapping
from typing import Any

from pagerpal_ingest.domain.labels import Labels
from pagerpal_ingest.domain.texts import line

LEGACY_ID = "grafana-test-notification"
"""Its rule has the number 0, or in later versions one that is drawn anew each time."""

_NAME, _SUMMARY = "TestAlert", "Notification test"
_LEGACY_NAMES = frozenset({"Test notification", "[Alerting] Test notification"})
_LEGACY_MESSAGE = "Someone is testing the alert notification within"


def is_trial(labels: Labels, annotations: Labels) -> bool:
    """That of a contact point of unified alerting."""
    is_named = labels.get("alertname", "").startswith(_NAME)
    return is_named and (labels.get("instance") == "Grafana" or annotations.get("summary") == _SUMMARY)


def is_legacy_trial(body: Mapping[str, Any]) -> bool:
    """That of a notification channel (Grafana 4 to 8, `createTestEvalContext` in `pkg/services/alerting`)."""
    is_named = any(line(body.get(field)) in _LEGACY_NAMES for field in ("ruleName", "title"))
    return is_named and line(body.get("message")).startswith(_LEGACY_MESSAGE)
