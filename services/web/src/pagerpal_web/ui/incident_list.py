"""The list of incidents: filters that stay in the address, a search, and acting on several at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import Unprocessable
from pagerpal_common.http import Body
from pagerpal_common.vocabulary import IncidentStatus, Role, Severity
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from pagerpal_web.context import Context
from pagerpal_web.domain.shown import plain
from pagerpal_web.fields import Id
from pagerpal_web.storage.incident_list import list_incidents
from pagerpal_web.storage.incident_search import MOST_FOUND, SEARCHED, search_incidents
from pagerpal_web.storage.names import Names, list_choices, names_of
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import render, render_part, status_of
from pagerpal_web.ui.pages import Page, Visit

PAGE_SIZE = 50

LONGEST_QUERY = 200

OPEN, ALL = "open", "all"

TABS = (OPEN, *IncidentStatus, ALL)

CALLED: Mapping[str, str] = {
    "status": "status",
    "severity": "severity",
    "team_id": "team with the id",
    "source_id": "alert source with the id",
    "q": "incident for a search as long as",
    "page": "page",
}
"""What each filter is to people."""

CHOICES: Mapping[str, str] = {
    "status": "open, triggered, acknowledged, resolved or all",
    "severity": "critical, warning or info",
}
"""What there is to choose from."""


class Filters(Body):
    """Which incidents; each of these may stand in the address."""

    status: Literal["open", "triggered", "acknowledged", "resolved", "all"] | None = None
    severity: Severity | None = None
    team_id: Id | None = None
    source_id: Id | None = None
    q: Annotated[str, Field(max_length=LONGEST_QUERY)] = ""
    page: Annotated[int, Field(ge=1, le=10**7)] = 1

    @property
    def tab(self) -> str:
        """What is open, unless it is said otherwise; a search looks at all of them."""
        return self.status or (ALL if self.q else OPEN)

    @property
    def columns(self) -> Mapping[str, Any]:
        """As `list_incidents` takes them."""
        chosen: dict[str, Any] = {"severity": self.severity, "team_id": self.team_id, "source_id": self.source_id}
        if self.tab in set(IncidentStatus):
            chosen["status"] = IncidentStatus(self.tab)
        return {name: value for name, value in chosen.items() if value is not None}

    def address(self, **changes: object) -> str:
        """What stands behind the question mark, with these changed; nothing of what is usual."""
        values = {**self.model_dump(mode="json"), "page": None if self.page == 1 else self.page, **changes}
        return urlencode({name: value for name, value in values.items() if value not in (None, "")})


@dataclass(frozen=True)
class Found:
    """The incidents of one page, and how many there are in all."""

    incidents: list[IncidentView]
    total: int
    names: Names


async def show_list(ctx: Context, visit: Visit) -> Response:
    """The page."""
    pairs = visit.query.multi_items()
    try:
        return await show(ctx, visit, filters_of(pairs))
    except Unprocessable as refused:
        kept, problem = _as_far_as_they_fit(pairs)
        return await show(ctx, visit, kept, problem=problem, status=status_of(refused))


async def show_rows(ctx: Context, visit: Visit) -> Response:
    """Its rows, for htmx; opened by themselves, the page."""
    filters = filters_of(visit.query.multi_items())
    if not visit.is_partial:
        return RedirectResponse(f"/incidents?{filters.address()}", 303)
    return render_part(ctx, visit.visitor, "_incident_rows.html", **await _rows(ctx, visit, filters))


async def show(
    ctx: Context,
    visit: Visit,
    filters: Filters,
    *,
    ticked: Collection[int] = (),
    problem: str = "",
    status: int = 200,
) -> Response:
    """The list with these boxes ticked, and what went wrong above it."""
    rows = await _rows(ctx, visit, filters, ticked)  # first of all: what it says is of one moment
    async with ctx.db.begin() as tx:
        choices = await list_choices(tx)
    values = {**rows, "choices": choices, "problem": problem, "tabs": TABS}
    response = await render(ctx, visit.visitor, "incidents.html", status=status, **values)
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def filters_of(pairs: Collection[tuple[str, str]]) -> Filters:
    """The filters in a query string; what else is in it is passed over.

    Raises:
        Unprocessable: one of them is none.
    """
    given = {name: plain(value, "") for name, value in pairs if name in Filters.model_fields}
    return fit(Filters, {name: value for name, value in given.items() if value})


def _as_far_as_they_fit(pairs: Collection[tuple[str, str]]) -> tuple[Filters, str]:
    """The filters that are some, and in words what is wrong with the others."""
    kept, wrong = list[tuple[str, str]](), list[str]()
    for name, value in pairs:
        try:
            filters_of([(name, value)])
        except Unprocessable:
            there_are = f" Choose {CHOICES[name]}." if name in CHOICES else ""
            wrong.append(f"There is no {CALLED[name]} “{plain(value, '')[:40]}”.{there_are}")
        else:
            kept.append((name, value))
    return filters_of(kept), " ".join([*wrong, "The other filters are kept."])


def filters_in(address: str) -> Filters:
    """The same of a query string that a form has kept."""
    return filters_of(parse_qsl(address, max_num_fields=20))


async def _rows(ctx: Context, visit: Visit, filters: Filters, ticked: Collection[int] = ()) -> Mapping[str, Any]:
    found = await _find(ctx, filters)
    return {
        "filters": filters,
        "incidents": found.incidents,
        "total": found.total,
        "pages": 1 if filters.q else -(-found.total // PAGE_SIZE),
        "names": found.names,
        "ticked": ticked,
        "searched": SEARCHED,
        "is_cut": bool(filters.q) and found.total >= MOST_FOUND,
        "can_act": visit.may(Role.RESPONDER),
        "my_id": visit.me.user_id,
    }


async def _find(ctx: Context, filters: Filters) -> Found:
    is_open = filters.tab == OPEN
    async with ctx.db.begin() as tx:
        if filters.q:
            found = await search_incidents(tx, filters.q, filters.columns, is_open=is_open)
            return Found(found, len(found), await names_of(tx, found))
        skipped = (filters.page - 1) * PAGE_SIZE
        found, total = await list_incidents(tx, filters.columns, limit=PAGE_SIZE, offset=skipped, is_open=is_open)
        return Found(found, total, await names_of(tx, found))


PAGES: tuple[Page, ...] = (
    Page("GET", "/incidents", show_list),
    Page("GET", "/incidents/rows", show_rows),
)
