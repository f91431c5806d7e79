"""What do people see in a browser? Every page there is, a file per page. The API's document says nothing of them."""

from pagerpal_common.http import Endpoint

from pagerpal_web.ui import (
    acknowledge,
    dashboard,
    incident,
    incident_actions,
    incident_list,
    incidents_together,
    live,
    login,
    static,
)
from pagerpal_web.ui.pages import endpoint

PAGES: tuple[Endpoint, ...] = (
    *acknowledge.ENDPOINTS,
    *static.ENDPOINTS,
    *map(endpoint, (*login.PAGES, *dashboard.PAGES, *live.PAGES)),
    *map(endpoint, (*incident_list.PAGES, *incidents_together.PAGES, *incident.PAGES, *incident_actions.PAGES)),
)
