"""A context on a real database, and short ways to give it alerts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.db import Database
from pagerpal_common.ids import uuid7
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.incidents import incidents_outbox
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_incidents.context import Context, context

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(T0)


@pytest.fixture
def ctx(database: Callable[[str | None], Database], clock: Clock) -> Context:
    return context(database("incidents"), Outbox(incidents_outbox), clock)


@pytest.fixture
def rows(database: Callable[[str | None], Database]) -> Rows:
    return Rows(database(None))


def an_alert(external_id: str | None = "cpu", **changes: Any) -> Alert:
    alert = Alert(
        alert_id=uuid7(),
        source_id=1,
        team_id=3,
        external_id=external_id,
        status=AlertStatus.FIRING,
        severity=Severity.CRITICAL,
        title="CPU > 95%",
        description="for 10 minutes",
        received_at=T0,
    )
    return alert.model_copy(update=changes)
