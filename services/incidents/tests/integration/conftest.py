"""A context on a real database, and short ways to give it alerts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.db import Database
from pagerpal_common.ids import uuid7
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.incidents import incidents_outbox
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_incidents.context import Context, context
from sqlalchemy import text

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = T0

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class Rows:
    """Looks at and prepares any table, as the login that owns the database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self._db.begin() as tx:
            result = await tx.execute(text(query), parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
