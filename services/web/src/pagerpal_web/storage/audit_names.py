"""How is what the audit log speaks of by number called now? One statement for a page of it."""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# What has no name of its own is called by those of what it joins.
_LABELS = text("""
SELECT 'user' AS kind, id, name AS label FROM directory.users WHERE id = ANY(:user)
UNION ALL SELECT 'password', id, name FROM directory.users WHERE id = ANY(:password)
UNION ALL SELECT 'team', id, name FROM directory.teams WHERE id = ANY(:team)
UNION ALL SELECT 'schedule', id, name FROM directory.schedules WHERE id = ANY(:schedule)
UNION ALL SELECT 'escalation_policy', id, name FROM directory.escalation_policies WHERE id = ANY(:escalation_policy)
UNION ALL SELECT 'alert_source', id, name FROM directory.alert_sources WHERE id = ANY(:alert_source)
UNION ALL SELECT 'rotation', r.id, r.name || ' of schedule ' || s.name
    FROM directory.schedule_rotations r JOIN directory.schedules s ON s.id = r.schedule_id WHERE r.id = ANY(:rotation)
UNION ALL SELECT 'schedule_entry', e.id, 'of ' || u.name || ' on schedule ' || s.name
    FROM directory.schedule_entries e JOIN directory.schedules s ON s.id = e.schedule_id
    JOIN directory.users u ON u.id = e.user_id WHERE e.id = ANY(:schedule_entry)
UNION ALL SELECT 'team_member', m.id, u.name || ' of team ' || t.name
    FROM directory.team_members m JOIN directory.teams t ON t.id = m.team_id
    JOIN directory.users u ON u.id = m.user_id WHERE m.id = ANY(:team_member)
UNION ALL SELECT 'escalation_level', l.id, l.level_number || ' of policy ' || p.name
    FROM directory.escalation_levels l JOIN directory.escalation_policies p ON p.id = l.policy_id
    WHERE l.id = ANY(:escalation_level)
UNION ALL SELECT 'assignee', a.id,
        coalesce(u.name, 'schedule ' || s.name) || ' on level ' || l.level_number || ' of policy ' || p.name
    FROM directory.escalation_assignees a JOIN directory.escalation_levels l ON l.id = a.level_id
    JOIN directory.escalation_policies p ON p.id = l.policy_id
    LEFT JOIN directory.users u ON u.id = a.user_id LEFT JOIN directory.schedules s ON s.id = a.schedule_id
    WHERE a.id = ANY(:assignee)
UNION ALL SELECT 'contact_method', c.id, c.channel || ' of ' || u.name
    FROM directory.contact_methods c JOIN directory.users u ON u.id = c.user_id WHERE c.id = ANY(:contact_method)
UNION ALL SELECT 'notification_rule', n.id, 'for ' || n.severity || ' of ' || u.name
    FROM directory.notification_rules n JOIN directory.users u ON u.id = n.user_id
    WHERE n.id = ANY(:notification_rule)
""")

KINDS = frozenset({
    "user", "password", "team", "schedule", "escalation_policy", "alert_source", "rotation", "schedule_entry",
    "team_member", "escalation_level", "assignee", "contact_method", "notification_rule",
})  # fmt: skip
"""What can be called by a name."""


async def find_labels(tx: AsyncConnection, wanted: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    """The names of these kinds and numbers, as far as they are there still."""
    ids: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for kind, number in wanted:
        if kind in KINDS:
            ids[kind].append(number)
    if not any(ids.values()):
        return {}
    return {(row.kind, row.id): row.label for row in await tx.execute(_LABELS, ids)}
