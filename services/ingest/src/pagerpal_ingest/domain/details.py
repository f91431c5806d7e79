"""What does an alert tell in its annotations and its values?

Sources: Alertmanager `template.Data`; Grafana's webhook documentation, "Alert".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pagerpal_common.contracts.incidents import Link

from pagerpal_ingest.domain.labels import Labels
from pagerpal_ingest.domain.links import link
from pagerpal_ingest.domain.masked import masked_by_name
from pagerpal_ingest.domain.texts import line, paragraphs, text_of

TITLES = ("summary", "title")
DESCRIPTIONS = ("description", "message")
RUNBOOKS = ("runbook_url", "runbook", "runbookURL", "runbookUrl")
SEVERITIES = ("severity", "priority", "urgency", "level")


def headline(annotations: Labels) -> str:
    """What it is about, on one line; empty when they do not say."""
    return _first(annotations, TITLES)


def gist(annotations: Labels) -> str:
    """The beginning of what they describe, on one line; empty when they do not."""
    return _first(annotations, DESCRIPTIONS)


def severities(labels: Labels, annotations: Labels) -> Iterator[object]:
    """How bad it may be, the best word first."""
    yield from (labels.get(name) for name in SEVERITIES)
    yield from (annotations.get(name) for name in SEVERITIES)


def description(entry: Mapping[str, Any], annotations: Labels) -> str:
    """All that an alert tells but its headline."""
    said = next((annotations[name] for name in DESCRIPTIONS if annotations.get(name)), "")
    runbook = _first(annotations, RUNBOOKS)
    known = {*TITLES, *DESCRIPTIONS, *RUNBOOKS}
    more = (
        f"{name}: {text}"
        for name, text in masked_by_name(annotations).items()
        if text and name not in known and name[:2] != "__"
    )
    return paragraphs(said, _values(entry), f"Runbook: {runbook}" if runbook else "", "\n".join(more))


def runbooks(annotations: Labels) -> Iterator[Link | None]:
    """Where somebody has written down what to do."""
    yield from (link(annotations.get(name), "Runbook") for name in RUNBOOKS)


def _values(entry: Mapping[str, Any]) -> str:
    values = entry.get("values")
    if isinstance(values, Mapping):
        known = ", ".join(f"{name}={_number(value)}" for name, value in values.items() if value is not None)
        if known:
            return f"Values: {text_of(known)}"
    text = line(entry.get("valueString"), 4096)
    return f"Values: {text}" if text else ""


def _number(value: object) -> str:
    if not isinstance(value, float):
        return text_of(value)
    return text_of(round(value, 4)) if abs(value) >= 0.1 else f"{value:.4g}"


def _first(texts: Labels, names: Sequence[str]) -> str:
    return next((text for name in names if (text := line(texts.get(name)))), "")
