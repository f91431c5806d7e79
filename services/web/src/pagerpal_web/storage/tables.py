"""What are web's tables called when speaking to people, and which are parts of which?"""

from collections.abc import Mapping
from typing import Any

from pagerpal_common.schema import directory, on_call, policies
from sqlalchemy import Column, Table

NOUNS: Mapping[Table, str] = {
    directory.users: "user",
    directory.credentials: "password",
    directory.contact_methods: "contact method",
    directory.notification_rules: "notification rule",
    directory.teams: "team",
    directory.team_members: "team member",
    on_call.schedules: "schedule",
    on_call.schedule_entries: "schedule entry",
    on_call.schedule_rotations: "rotation",
    policies.escalation_policies: "escalation policy",
    policies.escalation_levels: "escalation level",
    policies.escalation_assignees: "assignee",
    policies.alert_sources: "alert source",
}

WHOLES: Mapping[Table, tuple[Table, Column[Any]]] = {
    directory.team_members: (directory.teams, directory.team_members.c.team_id),
    on_call.schedule_entries: (on_call.schedules, on_call.schedule_entries.c.schedule_id),
    policies.escalation_levels: (policies.escalation_policies, policies.escalation_levels.c.policy_id),
    policies.escalation_assignees: (policies.escalation_levels, policies.escalation_assignees.c.level_id),
}
"""What each part belongs to, and its column that says to which. Parts go when their whole goes; whatever else points
at a row keeps it from being deleted. (Rotations go with their schedule, and their people with them, by ON DELETE
CASCADE.)"""

PARTS: Mapping[Table, Table] = {whole: part for part, (whole, _) in WHOLES.items()}
"""The same from above."""


def kind_of(table: Table) -> str:
    """The noun as one word, for the audit log: `alert_source`."""
    return NOUNS[table].replace(" ", "_")
