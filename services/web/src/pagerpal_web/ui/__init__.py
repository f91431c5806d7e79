"""What do people see in a browser? Every page there is, a file per page. The API's document says nothing of them."""

from pagerpal_common.http import Endpoint

from pagerpal_web.ui import (
    acknowledge,
    audit,
    calendars,
    dashboard,
    incident,
    incident_actions,
    incident_list,
    incidents_together,
    live,
    login,
    new_source,
    oncall,
    people,
    policies,
    profile,
    schedule_entries,
    schedule_rotations,
    schedules,
    settings,
    sources,
    static,
    teams,
)
from pagerpal_web.ui.pages import Page, endpoint

TABLE: tuple[Page, ...] = (
    *login.PAGES,
    *dashboard.PAGES,
    *live.PAGES,
    *incident_list.PAGES,
    *incidents_together.PAGES,
    *incident.PAGES,
    *incident_actions.PAGES,
    *oncall.PAGES,
    *calendars.PAGES,
    *schedules.PAGES,
    *schedule_entries.PAGES,
    *schedule_rotations.PAGES,
    *teams.PAGES,
    *people.PAGES,
    *profile.PAGES,
    *policies.PAGES,
    *sources.PAGES,
    *new_source.PAGES,
    *settings.PAGES,
    *audit.PAGES,
)
"""Every page, and every form that one posts, with the least role that may."""

PAGES: tuple[Endpoint, ...] = (*acknowledge.ENDPOINTS, *calendars.ENDPOINTS, *static.ENDPOINTS, *map(endpoint, TABLE))
"""The routes of all that people see."""
