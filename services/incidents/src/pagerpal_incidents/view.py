"""An incident as everyone else sees it."""

from pagerpal_common.contracts.incidents import IncidentView

from pagerpal_incidents.domain.incident import Incident


def view(incident: Incident) -> IncidentView:
    """The API's fields of an incident."""
    return IncidentView.model_validate(incident, from_attributes=True)
