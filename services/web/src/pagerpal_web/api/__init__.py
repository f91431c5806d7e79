"""The JSON API: every route there is, a file per resource."""

from pagerpal_common.http import Endpoint, Health, health

from pagerpal_web.api import (
    audit,
    bootstrap,
    contact_checks,
    contact_methods,
    explain,
    incidents,
    ledger,
    login,
    notification_rules,
    own_account,
    policies,
    raw_alerts,
    rotations,
    schedules,
    simulate,
    source_health,
    sources,
    system,
    teams,
    trial_alerts,
    users,
)
from pagerpal_web.api.document import documented

ENDPOINTS: tuple[Endpoint, ...] = documented(
    (
        Endpoint("GET", "/health", health, None, gives=Health),
        *users.ENDPOINTS,
        *contact_methods.ENDPOINTS,
        *contact_checks.ENDPOINTS,
        *notification_rules.ENDPOINTS,
        *teams.ENDPOINTS,
        *schedules.ENDPOINTS,
        *rotations.ENDPOINTS,
        *policies.ENDPOINTS,
        *sources.ENDPOINTS,
        *source_health.ENDPOINTS,
        *trial_alerts.ENDPOINTS,
        *simulate.ENDPOINTS,
        *incidents.ENDPOINTS,
        *raw_alerts.ENDPOINTS,
        *explain.ENDPOINTS,
        *system.ENDPOINTS,
        *login.ENDPOINTS,
        *bootstrap.ENDPOINTS,
        *own_account.ENDPOINTS,
        *audit.ENDPOINTS,
        *ledger.ENDPOINTS,
    )
)
