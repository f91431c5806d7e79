"""The rows that others own, a clock that stands still, and a notifier built on them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pagerpal_common.bus import BatchSubscription, Subscription
from pagerpal_common.contracts import SUBSCRIBERS
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.db import Database
from pagerpal_notifier.context import Context
from pagerpal_notifier.loops import send, take_up
from sqlalchemy import text

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
PHONE = "+436641234567"
EMAIL = "ana@example.com"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = T0

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class RecordingBus:
    """Keeps what is published, and who subscribes."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.subscriptions: dict[type[Message], Subscription | BatchSubscription] = {}

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None:
        assert all(service in SUBSCRIBERS[subscription.message] for subscription in subscriptions)
        self.subscriptions |= {subscription.message: subscription for subscription in subscriptions}

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    async def publish(self, *messages: Message) -> None:
        self.published.extend(messages)

    async def request(self, message: Message, reply: type[Any], *, wait: float, expires: bool = True) -> Any:
        raise NotImplementedError

    async def parked(self) -> int:
        return 0

    def is_connected(self) -> bool:
        return True


class World:
    """Everything around one notifier."""

    def __init__(self, ctx: Context, clock: Clock, owner: Database) -> None:
        self.ctx = ctx
        self.clock = clock
        self.owner = owner

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Any statement, as the login that owns the database."""
        async with self.owner.begin() as tx:
            result = await tx.execute(text(query), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def user(self, *, phone: str | None = PHONE, email: str = EMAIL, is_active: bool = True) -> int:
        (row,) = await self.rows(
            "INSERT INTO directory.users (name, email, role, phone, timezone, is_active, created_at)"
            " VALUES ('Ana', :email, 'responder', :phone, 'UTC', :is_active, :now) RETURNING id",
            email=email,
            phone=phone,
            is_active=is_active,
            now=self.clock(),
        )
        return int(row["id"])

    async def incident(self, *, title: str = "Disk full on db1", escalation_id: int | None = None) -> int:
        """Triggered, in a run of its own."""
        (row,) = await self.rows(
            "INSERT INTO incidents.incidents (title, description, severity, source_id, team_id, status,"
            " current_escalation_level, level_entered_at, escalation_id, escalation_pass, escalation_reminder,"
            " notification_count, created_at, alert_count, last_alert_at, links, labels, is_unreached)"
            " VALUES (:title, '98 % used', 'critical', 1, 1, 'triggered', 1, :now,"
            " coalesce(CAST(:escalation_id AS bigint), nextval('incidents.escalation_ids')), 1, 0, 0, :now, 1, :now,"
            " '[]', '{}', false) RETURNING id",
            title=title,
            escalation_id=escalation_id,
            now=self.clock(),
        )
        return int(row["id"])

    async def page_request(self, incident_id: int, user_id: int, *, level: int = 1) -> int:
        """As incidents writes it when a level is entered."""
        (row,) = await self.rows(
            "INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id,"
            " reason, requested_at, is_open) SELECT id, escalation_id, 1, :level, 0, :user_id,"
            " CAST(:reason AS jsonb), :now, true FROM incidents.incidents WHERE id = :incident_id RETURNING id",
            incident_id=incident_id,
            user_id=user_id,
            level=level,
            reason=json.dumps(["policy 'Base', level 1", "assigned by name"]),
            now=self.clock(),
        )
        return int(row["id"])

    async def given_page(self, **user: Any) -> int:
        """A page for a new incident and a new person, taken up; the incident's id."""
        incident_id = await self.incident()
        await self.page_request(incident_id, await self.user(**user))
        assert await take_up(self.ctx) == 1
        return incident_id

    async def quieten(self, incident_id: int, status: str = "acknowledged") -> None:
        """What incidents commits when somebody acknowledges or resolves."""
        await self.rows(
            "WITH closed AS (UPDATE incidents.page_requests SET is_open = false WHERE incident_id = :id)"
            " UPDATE incidents.incidents SET status = :status WHERE id = :id",
            id=incident_id,
            status=status,
        )

    async def send(self) -> None:
        """Everything that is due, and what that makes due."""
        while await send(self.ctx):
            await self.ctx.in_flight.finish()

    async def crash(self) -> None:
        """The process dies with its sends under way."""
        tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("notification ")]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def notifications(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM notification.notifications ORDER BY id")

    async def statuses(self) -> list[str]:
        return [row["status"] for row in await self.notifications()]

    async def attempts(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM notification.attempts ORDER BY started_at, attempt_id")

    async def settled(self) -> list[int]:
        """Notifications that incidents has been told of, in order, relayed as the loop does."""
        bus = RecordingBus()
        while await self.ctx.outbox.relay(self.ctx.db, bus):
            pass
        told = [message for message in bus.published if isinstance(message, NotificationSettled)]
        assert len(told) == len(bus.published)
        return [message.notification_id for message in told]
