"""How all notifiers together stand with each provider: one row each, the same for every process."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pagerpal_common.vocabulary import Channel, CircuitState
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.circuit import Circuit
from pagerpal_notifier.domain.page import Claim, Member

# In order of name throughout, and before any row of a notification: so two processes wait, and never deadlock.
_CREATE = text("""
INSERT INTO notification.circuits (name, state, failures, pauses)
SELECT name, 'closed', 0, 0 FROM unnest(CAST(:names AS text[])) AS n(name) ORDER BY name ON CONFLICT DO NOTHING
""")
_LOCK = text("""
SELECT name, state, failures, pauses, opened_at, probe_at FROM notification.circuits
WHERE name = ANY(:names) ORDER BY name FOR UPDATE
""")
_LOCK_TROUBLED = text("""
SELECT name, state, failures, pauses, opened_at, probe_at FROM notification.circuits
WHERE name = ANY(:names) AND failures > 0 ORDER BY name FOR UPDATE
""")
_SAVE = text("""
UPDATE notification.circuits
SET state = :state, failures = :failures, pauses = :pauses, opened_at = :opened_at, probe_at = :probe_at
WHERE name = :name
""")

# The one that has been tried least: so a message that is itself the trouble is not every probe. One in doubt goes with
# all that it told of: its provider takes an id once, and what stayed behind would count as told.
_PICK = text("""
WITH picked AS MATERIALIZED (
    SELECT id, status, provider_message_id FROM notification.notifications
    WHERE held_by = :name AND status IN ('queued', 'sending')
    ORDER BY attempts, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE notification.notifications n SET due_at = :now, held_by = NULL
FROM picked
WHERE n.id = picked.id OR (picked.status = 'sending' AND n.provider_message_id = picked.provider_message_id
                           AND n.status = 'sending' AND n.held_by = :name)
RETURNING n.id
""")
_IS_DUE = text("""
SELECT EXISTS (SELECT FROM notification.notifications WHERE due_at <= :now AND channel = ANY(:channels))
""")
# A message in doubt is put off whole, whatever the limit: one half of it must not be the probe.
_HOLD = text("""
WITH first AS MATERIALIZED (
    SELECT id, status, provider_message_id, held_by IS NULL AS is_new FROM notification.notifications
    WHERE due_at <= :now AND channel = ANY(:channels) ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT id, is_new FROM first
    UNION
    SELECT n.id, n.held_by IS NULL FROM first JOIN notification.notifications n
      ON n.provider_message_id = first.provider_message_id AND n.status = 'sending' AND first.status = 'sending'
     AND n.due_at <= :now
)
UPDATE notification.notifications n
SET due_at = :until, wanted_at = coalesce(n.wanted_at, n.due_at), is_held = false,
    held_by = CAST(:providers AS jsonb) ->> n.channel, error = CAST(:whys AS jsonb) ->> n.channel
FROM due WHERE n.id = due.id AND n.due_at <= :now
RETURNING n.id, due.is_new
""")
# As with a person's retry, what was before does not count. Not if a receipt has settled it since.
_UNCOUNT = text("""
UPDATE notification.notifications n SET attempts_before = n.attempts_before + 1
FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS int[])) AS tried(id, attempts)
WHERE n.id = tried.id AND n.attempts = tried.attempts AND n.status IN ('queued', 'sending')
""")
# Held in the order of their ids: whoever else holds several does so in that order.
_RELEASE = text("""
WITH locked AS MATERIALIZED (
    SELECT id FROM notification.notifications
    WHERE held_by = :name AND status IN ('queued', 'sending') ORDER BY id FOR UPDATE
)
UPDATE notification.notifications n SET due_at = :now, held_by = NULL FROM locked WHERE n.id = locked.id
""")
# What waits for nobody: its provider is another by now, or its circuit was lost with its row. In one snapshot with the
# circuits, so that what is held back in the meantime is not seen.
_RELEASE_STRAY = text("""
WITH stray AS MATERIALIZED (
    SELECT id FROM notification.notifications
    WHERE held_by IS NOT NULL AND status IN ('queued', 'sending') AND held_by NOT IN (
        SELECT name FROM notification.circuits WHERE name = ANY(:names) AND state <> 'closed'
    )
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE notification.notifications n SET due_at = :now, held_by = NULL FROM stray WHERE n.id = stray.id
""")

# Who waits for a provider in trouble is reached another way: their next step by another provider, now. It may have been
# wanted before, and wait for its digest. One that has gone, or is on its way, is that way: what is held back once more,
# after a probe in vain, needs none beside it. Held in the order of their ids, as everywhere.
_HASTEN_OTHERS = text("""
WITH next AS MATERIALIZED (
    SELECT DISTINCT ON (held.id) later.id
    FROM notification.notifications held
    JOIN notification.notifications later ON later.page_request_id = held.page_request_id AND later.step > held.step
        AND later.channel <> ALL(:shut) AND later.status NOT IN ('failed', 'exhausted', 'cancelled')
        AND later.unheard_at IS NULL
    WHERE held.id = ANY(:ids) ORDER BY held.id, later.step, later.id
), locked AS MATERIALIZED (
    SELECT id FROM notification.notifications WHERE id IN (SELECT id FROM next) ORDER BY id FOR UPDATE
)
UPDATE notification.notifications n SET due_at = :now, wanted_at = least(wanted_at, :now)
FROM locked WHERE n.id = locked.id AND n.status = 'queued' AND n.attempts = 0 AND n.due_at > :now
""")
# Without any such way, it is their own phone or mail. As the last resort in `notifications.py`, and under its lock.
_ALONE = text("""
SELECT pg_advisory_xact_lock(page_request_id) FROM (
    SELECT DISTINCT page_request_id FROM notification.notifications WHERE id = ANY(:ids) ORDER BY page_request_id
) AS requests
""")
_ADD_OTHERS = text("""
INSERT INTO notification.notifications
    (page_request_id, incident_id, escalation_id, user_id, channel, step, pass_number, level, reason, status,
     attempts, due_at, wanted_at, created_at)
SELECT DISTINCT ON (n.page_request_id, own.channel)
       n.page_request_id, n.incident_id, n.escalation_id, n.user_id, own.channel,
       (SELECT max(step) + 1 FROM notification.notifications WHERE page_request_id = n.page_request_id),
       n.pass_number, n.level, (n.reason - -1) || jsonb_build_array(CAST(:whys AS jsonb) ->> own.channel), 'queued', 0,
       CAST(:now AS timestamptz), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
FROM notification.notifications n JOIN directory.users u ON u.id = n.user_id AND u.is_active
JOIN incidents.page_requests r ON r.id = n.page_request_id AND r.is_open
JOIN incidents.incidents i ON i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id = n.escalation_id
CROSS JOIN LATERAL (VALUES ('sms', u.phone), ('voice', u.phone), ('email', u.email)) AS own(channel, address)
WHERE n.id = ANY(:ids) AND own.address <> '' AND own.channel <> ALL(:shut) AND NOT EXISTS (
    SELECT FROM notification.notifications other
    WHERE other.page_request_id = n.page_request_id AND (
        (other.channel <> ALL(:shut) AND other.status NOT IN ('failed', 'exhausted') AND other.unheard_at IS NULL)
        OR (other.channel = own.channel AND other.contact_method_id IS NULL)
    )
)
ORDER BY n.page_request_id, own.channel, n.id
ON CONFLICT DO NOTHING
""")


async def lock_circuits(
    tx: AsyncConnection, names: Collection[str], *, troubled: Collection[str] = ()
) -> dict[str, Circuit]:
    """The circuits of these providers, held until the transaction ends.

    Args:
        names: those of which only a troubled one is of interest; in good times none is, and nothing is locked.
        troubled: those that are held whatever they are.
    """
    if troubled:
        await tx.execute(_CREATE, {"names": sorted(troubled)})
    names = sorted({*names, *troubled})
    if not names:
        return {}
    found = (await tx.execute(_LOCK if troubled else _LOCK_TROUBLED, {"names": names})).mappings()
    return {row["name"]: _circuit(row) for row in found}


async def save_circuit(tx: AsyncConnection, name: str, circuit: Circuit) -> None:
    """Write down how one stands that the caller holds."""
    values = {"state": circuit.state, "failures": circuit.failures, "pauses": circuit.pauses}
    await tx.execute(_SAVE, {"name": name, **values, "opened_at": circuit.opened_at, "probe_at": circuit.probe_at})


async def pick_probe(tx: AsyncConnection, name: str, channels: Sequence[Channel], *, now: datetime) -> bool:
    """Make one notification due that waits for this provider; False when there is nothing to send by it."""
    if (await tx.execute(_PICK, {"name": name, "now": now})).first() is not None:
        return True
    return bool(await tx.scalar(_IS_DUE, {"now": now, "channels": list(channels)}))


async def hold_due(
    tx: AsyncConnection,
    providers: Mapping[Channel, str],
    whys: Mapping[Channel, str],
    *,
    now: datetime,
    until: datetime,
    limit: int,
) -> list[int]:
    """Put off what is due by channels in trouble; the ids of those that were not held before.

    Args:
        providers: the provider's name, by channel.
        whys: what the log says, by channel.
    """
    rows = await tx.execute(
        _HOLD,
        {
            "now": now,
            "until": until,
            "limit": limit,
            "channels": list(providers),
            "providers": json.dumps(dict(providers)),
            "whys": json.dumps(dict(whys)),
        },
    )
    return [row.id for row in rows if row.is_new]


async def uncount(tx: AsyncConnection, claims: Sequence[Claim | Member]) -> None:
    """Let the tries of these, saved by the caller, count for nothing."""
    if claims:
        values = {"ids": [one.notification_id for one in claims], "attempts": [one.attempts for one in claims]}
        await tx.execute(_UNCOUNT, values)


async def release(tx: AsyncConnection, name: str, *, now: datetime) -> int:
    """Make everything due that waits for this provider; how many."""
    return (await tx.execute(_RELEASE, {"name": name, "now": now})).rowcount


async def release_stray(tx: AsyncConnection, names: Collection[str], *, now: datetime) -> int:
    """Make everything due that waits for none of these providers, or for one that is in no trouble; how many."""
    return (await tx.execute(_RELEASE_STRAY, {"names": sorted(names), "now": now})).rowcount


async def go_around(
    tx: AsyncConnection, ids: Sequence[int], shut: Sequence[Channel], whys: Mapping[Channel, str], *, now: datetime
) -> int:
    """Reach those another way for whom these notifications are held back; how many ways are due that were not.

    Args:
        shut: the channels whose providers are in trouble.
        whys: the reason of a way that nobody's rules name, by channel.
    """
    await tx.execute(_ALONE, {"ids": list(ids)})
    values = {"ids": list(ids), "shut": list(shut), "now": now}
    hastened = await tx.execute(_HASTEN_OTHERS, values)
    added = await tx.execute(_ADD_OTHERS, {**values, "whys": json.dumps(dict(whys))})
    return hastened.rowcount + added.rowcount


def _circuit(row: Mapping[Any, Any]) -> Circuit:
    return Circuit(CircuitState(row["state"]), row["failures"], row["pauses"], row["opened_at"], row["probe_at"])
