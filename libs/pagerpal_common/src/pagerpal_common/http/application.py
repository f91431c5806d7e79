"""Which services answer on one port? Any number of them: their routes, errors and bounds in one application."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from pagerpal_common.bus import Bus
from pagerpal_common.errors import PagerPalError
from pagerpal_common.http import answers
from pagerpal_common.http.guard import Guard
from pagerpal_common.http.probes import probes
from pagerpal_common.service import Service


def application(services: Sequence[Service], bus: Bus) -> Starlette:
    """The services' routes in one application, in the given order, with errors mapped and requests logged."""
    show = next((service.show for service in services if service.show is not None), None)
    app = Starlette(
        routes=[route for service in services for route in service.routes] + [*probes(services, bus)],
        exception_handlers={
            PagerPalError: answers.on_error,
            HTTPException: answers.on_http_exception(show),
            ClientDisconnect: answers.on_disconnect,
        },
        middleware=[Middleware(Guard, show=show)],
    )
    app.router.redirect_slashes = False  # it would send the caller to wherever the Host header says
    return app
