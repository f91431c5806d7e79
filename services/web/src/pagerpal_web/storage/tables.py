"""What are web's tables called when speaking to people, and which are parts of which?"""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.schema import directory
from sqlalchemy import Column, Table

NOUNS: Mapping[Table, str] = {
    directory.users: "user",
    directory.credentials: "password",
    directory.contact_methods: "contact method",
    directory.notification_rules: "notification rule",
    directory.teams: "team",
    directory.team_members: "team member",
    directory.schedules: "schedule",
    directory.schedule_entries: "schedule entry",
    directory.schedule_rotations: "rotation",
    directory.escalation_policies: "escalation policy",
    directory.escalation_levels: "escalation level",
    directory.escalation_assignees: "assignee",
    directory.alert_sources: "alert source",
}

WHOLES: Mapping[Table, tuple[Table, Column[Any]]] = {
    directory.team_members: (directory.teams, directory.team_members.c.team_id),
    directory.schedule_entries: (directory.schedules, directory.schedule_entries.c.schedule_id),
    directory.escalation_levels: (directory.escalation_policies, directory.escalation_levels.c.policy_id),
    directory.escalation_assignees: (directory.escalation_levels, directory.escalation_assignees.c.level_id),
}
"""What each part belongs to, and its column that says to which. Parts go when their whole goes; whatever else points
at a row keeps it from being deleted. (Rotations go with their schedule, and their people with them, by ON DELETE
CASCADE.)"""

PARTS: Mapping[Table, Table] = {whole: part for part, (whole, _) in WHOLES.items()}
"""The same from above."""


def kind_of(table: Table) -> str:
    """The noun as one word, for the audit log: `alert_source`."""
    return NOUNS[table].replace(" ", "_")
