"""How is an alert source doing, in words? What an operator reads first, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pagerpal_common.vocabulary import AlertOutcome, SourceEnding, SourceType

from pagerpal_web.storage.source_health import SourceHealth
from pagerpal_web.ui.words import span

IN_STEP_SECONDS = 30
"""Clocks that are no further apart need no word."""

TYPES: Mapping[SourceType, str] = {
    SourceType.GENERIC: "Generic",
    SourceType.GRAFANA: "Grafana",
    SourceType.CLOUDWATCH: "CloudWatch (SNS)",
    SourceType.ALERTMANAGER: "Alertmanager",
}

ENDINGS: Mapping[str, str] = {
    AlertOutcome.OPENED: "Opened an incident",
    AlertOutcome.UPDATED: "Repeats of what was open",
    AlertOutcome.RESOLVED: "Resolved an incident",
    AlertOutcome.REOPENED: "Reopened an incident",
    AlertOutcome.ACKNOWLEDGED: "Acknowledged an incident",
    AlertOutcome.NOTED: "Noted on a timeline",
    AlertOutcome.DUPLICATE: "Duplicates",
    AlertOutcome.IGNORED: "Out of date, or about nothing open",
    AlertOutcome.PARKED: "Could not be processed: parked",
    SourceEnding.KEPT: "Kept, to be handled later",
    SourceEnding.REFUSED_KEY: "Refused: old key, or switched off",
    SourceEnding.REFUSED_REQUEST: "Refused: invalid request",
    SourceEnding.LIMITED: "Rate limited: told to retry later",
    SourceEnding.UNAVAILABLE: "PagerPal unavailable: told to retry later",
}
"""What became of alerts and requests, in the order of the page."""


@dataclass(frozen=True)
class State:
    """A source's state as a page shows it."""

    kind: str
    """Of its badge."""
    name: str
    advice: str


STATES: Mapping[str, State] = {
    "ok": State("good", "Healthy", "Alerts arrive and are accepted."),
    "never_heard": State("info", "Not heard yet", "No alert yet. Set it up as described below."),
    "switched_off": State("warn", "Switched off", "Its alerts are refused, and page nobody."),
    "limited": State(
        "warn",
        "Limited",
        "It sends more than its limit, and is told to retry later. Nothing is lost if it does.",
    ),
    "refused": State(
        "bad",
        "Refused",
        "Some of what it sent in the last 10 minutes was refused, and will not be sent again: check its settings.",
    ),
}


def skew(health: SourceHealth) -> str:
    """How the source's clock differs from ours."""
    seconds = health.clock_skew_seconds
    if seconds is None:
        return "Unknown" if health.last_alert_at is None else "Unknown: its alerts do not say when they are from"
    if abs(seconds) <= IN_STEP_SECONDS:
        return "In sync"
    return f"{span(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} ours, or its alerts come late"


def rate(per_minute: float) -> str:
    """How much it sends."""
    if per_minute == 0:
        return "None in the last 5 minutes"
    return f"{short_rate(per_minute)} a minute"


def short_rate(per_minute: float) -> str:
    """The same as a bare number."""
    return f"{per_minute:.1f}" if 0 < per_minute < 10 else f"{per_minute:,.0f}"


def endings(health: SourceHealth) -> list[tuple[str, int]]:
    """What became of all that came within a day."""
    return [(name, health.endings[ending]) for ending, name in ENDINGS.items() if health.endings.get(ending)]
