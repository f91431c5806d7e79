"""The JSON API: every route there is, a file per resource."""

from pagerpal_common.http import Endpoint, health

from pagerpal_web.api import incidents, policies, schedules, source_health, sources, system, teams, trial_alerts, users

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/health", health, None),
    *users.ENDPOINTS,
    *teams.ENDPOINTS,
    *schedules.ENDPOINTS,
    *policies.ENDPOINTS,
    *sources.ENDPOINTS,
    *source_health.ENDPOINTS,
    *trial_alerts.ENDPOINTS,
    *incidents.ENDPOINTS,
    *system.ENDPOINTS,
)
