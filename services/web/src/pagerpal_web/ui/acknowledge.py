"""How does somebody acknowledge with one tap? The link in a page shows this page, and its button does it.

Looking changes nothing: programs that show a preview of each link in a message look, too. Nobody is asked to log in:
whoever has the link may do this one thing, in the name of whom it was sent to (`ack_links.py`). Nor is it asked where
the button was pressed: with a referrer policy of `no-referrer` browsers say `Origin: null` even of our own page (Fetch
Standard, "append a request Origin header"), and another site's page does not know the token.
"""

from dataclasses import dataclass

from pagerpal_common.ack_links import AckLink, read
from pagerpal_common.contracts.incidents import AcknowledgeIncident, IncidentChanged, IncidentView
from pagerpal_common.errors import Invalid, NotFound, Unavailable
from pagerpal_common.http import Call, Endpoint
from pagerpal_common.vocabulary import IncidentStatus
from starlette.responses import HTMLResponse

from pagerpal_web.context import Context
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.incidents import get_incident
from pagerpal_web.storage.people import Person, find_person
from pagerpal_web.ui.page import button, heading, link, page, paragraph

ANSWER_SECONDS = 3.0
"""How long somebody waits for the incidents service before they are told to try again."""


@dataclass(frozen=True)
class Asked:
    """Who may acknowledge what, by a link that holds."""

    person: Person
    incident: IncidentView
    acknowledger: str | None
    """Who was first, where somebody has acknowledged it."""


async def show_acknowledge(ctx: Context, call: Call[None]) -> HTMLResponse:
    """What is wrong, how it stands, and a button."""
    try:
        asked = await _asked(ctx, call)
    except Unavailable:
        return _trouble("Load this page again in a moment.")
    return asked if isinstance(asked, HTMLResponse) else _state(asked)


async def acknowledge_by_link(ctx: Context, call: Call[None]) -> HTMLResponse:
    """Acknowledge in the name of whom the link was sent to, and say how the incident stands now."""
    try:
        asked = await _asked(ctx, call)
        if isinstance(asked, HTMLResponse):
            return asked
        if asked.incident.status is IncidentStatus.TRIGGERED:
            await _acknowledge(ctx, asked)
            asked = await _asked(ctx, call)
    except Unavailable:
        return _trouble("It may not be acknowledged yet.", button("Acknowledge again"))
    return asked if isinstance(asked, HTMLResponse) else _state(asked)


async def _acknowledge(ctx: Context, asked: Asked) -> None:
    """Somebody may have been faster, or the source may have resolved it: then the page says so."""
    command = AcknowledgeIncident(
        occurred_at=ctx.now(),
        incident_id=asked.incident.id,
        actor_user_id=asked.person.user_id,
        acting_as_user_id=asked.person.user_id,
    )
    try:
        await ctx.bus.request(command, IncidentChanged, wait=ANSWER_SECONDS)
    except Invalid:
        return


async def _asked(ctx: Context, call: Call[None]) -> Asked | HTMLResponse:
    """Who asks for what, or the page that says why not."""
    told = read(call.request.path_params["token"], ctx.ack_keys)
    if told is None:
        return _refused(404, "This link does not work", "It is not complete, or was not made by this PagerPal.")
    if told.is_over(ctx.now()):
        return _refused(410, "This link is too old", "It worked for 24 hours.")
    async with ctx.db.begin() as tx:
        person = await find_person(tx, told.user_id)
        if person is None or not person.may_act:
            return _refused(403, "You cannot acknowledge", "Your account may not do this any more.")
        try:
            incident = await get_incident(tx, told.incident_id)
        except NotFound:
            return _refused(404, "There is no such incident", "It was not found in this PagerPal.")
        first = None if incident.acknowledged_by is None else await find_person(tx, incident.acknowledged_by)
    return _of_an_earlier_run(told, incident) or Asked(person, incident, first.name if first else None)


def _of_an_earlier_run(told: AckLink, incident: IncidentView) -> HTMLResponse | None:
    if incident.escalation_id == told.escalation_id or incident.status is not IncidentStatus.TRIGGERED:
        return None
    return _refused(410, "It has been reopened since", f"Incident #{incident.id} pages again: use the newest link.")


def _state(asked: Asked) -> HTMLResponse:
    """The incident as it stands; with a button while somebody is wanted."""
    incident, person = asked.incident, asked.person
    title = plain(incident.title)
    head = (paragraph(f"{incident.severity.capitalize()} · Incident #{incident.id}", "soft"), heading(title))
    more = link("Open the incident", f"/incidents/{incident.id}")
    if incident.status is not IncidentStatus.TRIGGERED:
        return page(title, *head, paragraph(_standing(asked), "state"), more)
    waiting = paragraph("Triggered: nobody has acknowledged it yet.", "state")
    return page(title, *head, waiting, button(f"Acknowledge as {person.name}"), more)


def _standing(asked: Asked) -> str:
    incident, name = asked.incident, asked.acknowledger or "the alert source"
    if incident.status is IncidentStatus.RESOLVED:
        return "Resolved. There is nothing to acknowledge."
    if incident.acknowledged_by == asked.person.user_id:
        return f"Acknowledged by you, {asked.person.name}. Nobody else is paged."
    return f"Already acknowledged by {name}."


def _refused(status: int, title: str, why: str) -> HTMLResponse:
    return page(
        title, heading(title), paragraph(f"{why} Nothing was changed."), link("Log in", "/login"), status=status
    )


def _trouble(what: str, *more: str) -> HTMLResponse:
    title = "PagerPal cannot do this just now"
    return page(title, heading(title), paragraph(what), *more, status=503)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/a/{token}", show_acknowledge, None, gives=HTMLResponse, refuses=(403, 404, 410)),
    Endpoint("POST", "/a/{token}", acknowledge_by_link, None, gives=HTMLResponse, refuses=(403, 404, 410)),
)
