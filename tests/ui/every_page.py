"""Which pages are there to look at? Each with a name for its picture; a path may name ids of the world."""

PAGES: tuple[tuple[str, str], ...] = (
    ("dashboard", "/dashboard"),
    ("logout", "/logout"),
    ("incidents", "/incidents?status=all"),
    ("incidents-none", "/incidents?q=nothing+like+it"),
    ("incident-triggered", "/incidents/{triggered_id}"),
    ("incident-acknowledged", "/incidents/{acknowledged_id}"),
    ("incident-resolved", "/incidents/{resolved_id}"),
    ("explanation", "/incidents/{triggered_id}/explain?user_id={user_id}"),
    ("alert-sources", "/alert-sources"),
    ("new-alert-source", "/alert-sources/new"),
    ("alert-source", "/alert-sources/{source_id}"),
    ("settings", "/settings"),
    ("audit", "/settings/audit"),
    ("teams", "/teams"),
    ("team", "/teams/{team_id}"),
    ("people", "/users"),
    ("person", "/users/{other_id}"),
    ("profile", "/profile"),
    ("policies", "/escalation-policies"),
    ("policy", "/escalation-policies/{policy_id}"),
)
"""Pages of somebody logged in."""
