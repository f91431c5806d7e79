"""Who is there, as far as other services need it: read-only queries on web's schema."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Row, RowMapping, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_common.escalation import Assignee, Facts, Level, Person, Policy
from pagerpal_common.notification_rules import Addressee, PersonalRule
from pagerpal_common.oncall import Roster, who_is_on_call
from pagerpal_common.reasons import Known
from pagerpal_common.rosters import load_rosters, load_rosters_through
from pagerpal_common.vocabulary import Channel, Role, RuleSeverity

# The first of the two policies that has a level: one without pages nobody, so it must not hide the other.
_POLICY = text("""
SELECT p.id, p.name, p.repeat_count, p.reminder_minutes, p.ack_timeout_minutes,
       l.level_number, l.timeout_minutes, a.user_id, a.schedule_id
FROM directory.escalation_policies p
JOIN directory.escalation_levels l ON l.policy_id = p.id
LEFT JOIN directory.escalation_assignees a ON a.level_id = l.id
WHERE p.id = (
    SELECT candidate.id
    FROM directory.escalation_policies candidate
    WHERE (candidate.id = :policy_id OR (candidate.team_id = :team_id AND candidate.is_default))
      AND EXISTS (SELECT FROM directory.escalation_levels WHERE policy_id = candidate.id)
    ORDER BY (candidate.id = :policy_id) IS TRUE DESC
    LIMIT 1
)
ORDER BY l.level_number, a.id
""").bindparams(bindparam("policy_id", type_=BigInteger), bindparam("team_id", type_=BigInteger))

# Everybody who may matter: the assigned, those on the schedules, the team's responders, the admins.
_PEOPLE = text("""
SELECT u.id, u.name, u.role, m.user_id IS NOT NULL AS is_member
FROM directory.users u
LEFT JOIN directory.team_members m ON m.user_id = u.id AND m.team_id = :team_id
WHERE u.is_active AND (u.role = 'admin' OR m.user_id IS NOT NULL OR u.id = ANY(:user_ids))
ORDER BY u.id
""")

# With the rules of each, and where they lead: a method is proven while its address is the one that was proven, and
# that of a browser until its push service has said that it takes nothing any more.
_CONTACTS = text("""
SELECT u.id AS user_id, u.name, u.email, u.phone, u.is_active, (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'rule_id', r.id, 'severity', r.severity, 'delay_seconds', r.delay_seconds,
        'channel', coalesce(r.channel, m.channel), 'method_id', m.id,
        'is_proven', p.method_id IS NOT NULL AND NOT (m.channel = 'web_push' AND EXISTS (
            SELECT FROM notification.ended_subscriptions WHERE address_digest = sha256(convert_to(m.address, 'UTF8')))),
        'address', m.address
    ) ORDER BY r.id), '[]')
    FROM directory.notification_rules r
    LEFT JOIN directory.contact_methods m ON m.id = r.contact_method_id
    LEFT JOIN directory.contact_proofs p ON p.user_id = m.user_id AND p.method_id = m.id AND p.address = m.address
    WHERE r.user_id = u.id
) AS rules
FROM directory.users u WHERE u.id = ANY(:user_ids)
""")

NAMED = """
SELECT 'rotation' AS kind, id, name, NULL AS starts_at, NULL AS ends_at FROM directory.schedule_rotations
WHERE id = ANY(:rotations)
UNION ALL SELECT 'entry', id, NULL, starts_at, ends_at FROM directory.schedule_entries WHERE id = ANY(:entries)
"""
"""SQL for rows of which `known_of` makes what reasons name (`reasons.mentioned`)."""

_LONGEST = timedelta(days=366)
"""Of what a policy may say. A longer one would only mean that somebody is never paged."""


@dataclass(frozen=True)
class Contact:
    """How a person can be reached now. Addresses are secret: they go to a provider and nowhere else."""

    user_id: int
    name: str
    email: str
    phone: str | None
    is_active: bool
    rules: Sequence[PersonalRule] = ()
    method_addresses: Mapping[int, str] = field(default_factory=dict, repr=False)
    """Of the contact methods that the rules name."""

    def address(self, channel: Channel, method_id: int | None) -> str | None:
        """Where that leads: the contact method, or without one the person's own phone or mail."""
        if method_id is not None:
            return self.method_addresses.get(method_id)
        return self.email if channel is Channel.EMAIL else self.phone


@dataclass(frozen=True)
class Outlook:
    """What the directory says through a stretch of time, as far as one policy and team need it."""

    since: datetime
    until: datetime
    rosters: Mapping[int, Roster]
    people: Sequence[RowMapping]
    """Rows of `_PEOPLE`."""

    def facts_at(self, at: datetime) -> Facts:
        """What holds at an instant of the stretch. Who is on call until when is known as far as that goes."""
        return _facts(self.rosters, self.people, at)


async def find_policy(tx: AsyncConnection, *, team_id: int, policy_id: int | None) -> Policy | None:
    """The policy with this id; without one, or when it has no levels, the team's default.

    None when that has no levels either: then `escalation.fallback_policy` holds.
    """
    rows = (await tx.execute(_POLICY, {"policy_id": policy_id, "team_id": team_id})).mappings().all()
    if not rows:
        return None
    head = rows[0]
    return Policy(
        policy_id=head["id"],
        name=head["name"],
        repeat_count=head["repeat_count"],
        reminder=_minutes(head["reminder_minutes"]),
        ack_timeout=None if head["ack_timeout_minutes"] is None else _minutes(head["ack_timeout_minutes"]),
        levels=_levels(rows),
    )


async def load_facts(tx: AsyncConnection, policy: Policy | None, *, team_id: int, at: datetime) -> Facts:
    """What `escalation.next_step` needs to know of the world at `at`: one round trip, two when schedules are asked."""
    schedule_ids = _schedules(policy)
    rosters = await load_rosters(tx, schedule_ids, at=at) if schedule_ids else {}
    return _facts(rosters, await _load_people(tx, policy, rosters, team_id), at)


async def load_outlook(
    tx: AsyncConnection, policy: Policy | None, *, team_id: int, since: datetime, until: datetime
) -> Outlook:
    """The same for every instant from `since` up to `until`, by as many round trips."""
    schedule_ids = _schedules(policy)
    rosters = await load_rosters_through(tx, schedule_ids, since=since, until=until) if schedule_ids else {}
    return Outlook(since, until, rosters, await _load_people(tx, policy, rosters, team_id))


def _facts(rosters: Mapping[int, Roster], rows: Sequence[RowMapping], at: datetime) -> Facts:
    people = {row["id"]: Person(row["id"], row["name"]) for row in rows}
    return Facts(
        people=people,
        on_call={schedule: who_is_on_call(roster, at, people) for schedule, roster in rosters.items()},
        schedule_names={schedule: roster.name for schedule, roster in rosters.items()},
        responders=tuple(row["id"] for row in rows if row["is_member"] and row["role"] != Role.VIEWER),
        admins=tuple(row["id"] for row in rows if row["role"] == Role.ADMIN),
    )


def _schedules(policy: Policy | None) -> list[int]:
    assignees = [assignee for level in policy.levels for assignee in level.assignees] if policy else []
    return sorted({assignee.schedule_id for assignee in assignees if assignee.schedule_id is not None})


async def _load_people(
    tx: AsyncConnection, policy: Policy | None, rosters: Mapping[int, Roster], team_id: int
) -> Sequence[RowMapping]:
    assignees = [assignee for level in policy.levels for assignee in level.assignees] if policy else []
    user_ids = {assignee.user_id for assignee in assignees if assignee.user_id is not None}
    user_ids |= {user for roster in rosters.values() for user in roster.user_ids}
    return (await tx.execute(_PEOPLE, {"team_id": team_id, "user_ids": sorted(user_ids)})).mappings().all()


def known_of(rows: Iterable[Row[Any]], in_sentence: Callable[[str], str]) -> Known:
    """What is called how, of rows of `NAMED`; others among them count for nothing.

    Args:
        in_sentence: makes a name fit to stand in one.
    """
    named = list(rows)
    return Known(
        {row.id: in_sentence(row.name) for row in named if row.kind == "rotation"},
        {row.id: (row.starts_at, row.ends_at) for row in named if row.kind == "entry"},
    )


async def find_contacts(tx: AsyncConnection, user_ids: Sequence[int]) -> Mapping[int, Contact]:
    """How these people can be reached, by id; those who do not exist are left out."""
    rows = await tx.execute(_CONTACTS, {"user_ids": list(user_ids)})
    return {row["user_id"]: _contact(row) for row in rows.mappings()}


def addressee(contact: Contact | None) -> Addressee | None:
    """What the notification rules need to know of somebody; None when nobody has the id any more."""
    if contact is None:
        return None
    return Addressee(contact.is_active, bool(contact.phone), bool(contact.email), contact.rules)


def _contact(row: RowMapping) -> Contact:
    rules = row["rules"]
    return Contact(
        user_id=row["user_id"],
        name=row["name"],
        email=row["email"],
        phone=row["phone"],
        is_active=row["is_active"],
        rules=tuple(
            PersonalRule(
                rule_id=rule["rule_id"],
                severity=RuleSeverity(rule["severity"]),
                delay=timedelta(seconds=rule["delay_seconds"]),
                channel=Channel(rule["channel"]),
                method_id=rule["method_id"],
                is_proven=rule["is_proven"],
            )
            for rule in rules
        ),
        method_addresses={rule["method_id"]: rule["address"] for rule in rules if rule["method_id"] is not None},
    )


def _levels(rows: Sequence[RowMapping]) -> tuple[Level, ...]:
    levels: dict[int, Level] = {}
    for row in rows:
        number = row["level_number"]
        level = levels.get(number) or Level(number, _minutes(row["timeout_minutes"]), ())
        has_assignee = row["user_id"] is not None or row["schedule_id"] is not None
        added = (Assignee(row["user_id"], row["schedule_id"]),) if has_assignee else ()
        levels[number] = replace(level, assignees=level.assignees + added)
    return tuple(levels.values())


def _minutes(value: Decimal) -> timedelta:
    longest = Decimal(_LONGEST // timedelta(minutes=1))
    return timedelta(minutes=float(min(value, longest))) if value.is_finite() else _LONGEST
