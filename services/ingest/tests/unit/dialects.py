"""What the tests of the dialects share: a source, the corpus of real bodies, and how to read one."""

import json
from pathlib import Path
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.webhook import Delivery, parse

from services.ingest.tests.conftest import START

SOURCE = Source(source_id=7, team_id=1, escalation_policy_id=5, config={"routing_team_ids": [2]}, is_active=True)

CORPUS = Path(__file__).parents[1] / "corpus"
"""Bodies of other projects' documentation and tests; `SOURCES.txt` in each folder says whose."""

NAUGHTY: list[str] = json.loads((Path(__file__).parents[1] / "blns.json").read_text(encoding="utf-8"))


def delivered(body: object, source: Source = SOURCE) -> Delivery:
    return parse(body if isinstance(body, bytes) else json.dumps(body).encode(), source, at=START)


def recorded(path: str) -> list[Alert]:
    """The alerts of a body in the corpus."""
    return delivered((CORPUS / path).read_bytes()).alerts


def only(body: object, source: Source = SOURCE) -> Alert:
    (alert,) = delivered(body, source).alerts
    return alert


def group(*alerts: object, **more: Any) -> dict[str, Any]:
    """The body of a group, as Alertmanager sends it."""
    return {"version": "4", "status": "firing", "receiver": "pagerpal", "alerts": list(alerts), **more}


def firing(**fields: Any) -> dict[str, Any]:
    """One alert of a group."""
    return {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": "db-1"},
        "annotations": {"summary": "Disk full on db-1"},
        "startsAt": "2026-05-21T11:50:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "c6eadffa33fcdf37",
        **fields,
    }
