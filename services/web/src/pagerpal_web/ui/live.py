"""How does a page stay as new as it looks? A stream says that something has changed; the page loads that part again.

The stream beats whether anything changes or not, and only when the database was really looked at: a page that hears
nothing says so, and how old it is (`static/app.js`). Without the stream it asks every few seconds.
"""

import asyncio
from collections.abc import AsyncIterator

from pagerpal_common.errors import Unavailable
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pagerpal_web.context import Context
from pagerpal_web.pulse import Pulse
from pagerpal_web.storage.glance import glance
from pagerpal_web.ui.html import HEADERS, render_part
from pagerpal_web.ui.pages import Page, Visit

BEAT_SECONDS = 5.0
STREAM_SECONDS = 240.0
"""After this the browser begins anew, and whether it is still logged in is looked at again."""

LOOK_LIMIT_SECONDS = 1.0
"""How soon a stream notices that its process is to end."""


async def stream(ctx: Context, visit: Visit) -> Response:
    """Server-sent events (WHATWG HTML §9.2): `change` when an incident has changed, `beat` when none has."""
    headers = {**HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(ctx.pulse, visit.request), media_type="text/event-stream", headers=headers)


async def _events(pulse: Pulse, request: Request) -> AsyncIterator[str]:
    try:
        with pulse.watched():
            async for event in _beats(pulse, request):
                yield f"event: {event}\ndata:\n\n"
    except Unavailable:
        yield "retry: 30000\nevent: full\ndata:\n\n"


async def _beats(pulse: Pulse, request: Request) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    ends, said, seen = clock() + STREAM_SECONDS, 0.0, -1
    while clock() < ends and not getattr(request.app.state, "is_stopping", False):
        last = await pulse.next(wait=LOOK_LIMIT_SECONDS)
        if last is None or (last == seen and clock() - said < BEAT_SECONDS):
            continue
        yield "beat" if last == seen else "change"
        said, seen = clock(), last


async def gstrip(ctx: Context, visit: Visit) -> Response:
    """The strip with what is open, on top of every page."""
    async with ctx.db.begin() as tx:
        seen = await glance(tx)
    return render_part(ctx, visit.visitor, "_gstrip.html", glance=seen)


PAGES: tuple[Page, ...] = (
    Page("GET", "/events", stream),
    Page("GET", "/_partials/gstrip", gstrip),
)
