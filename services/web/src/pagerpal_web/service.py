"""How is web put together?"""

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.http import routes
from pagerpal_common.readiness import database
from pagerpal_common.service import Service

from pagerpal_web.accounts import authenticate
from pagerpal_web.api import ENDPOINTS
from pagerpal_web.context import Context
from pagerpal_web.logins import Logins
from pagerpal_web.passwords import Passwords
from pagerpal_web.settings import WebSettings


def build(settings: WebSettings, bus: Bus, now: Now) -> Service:
    """Web, built but not running.

    Raises:
        ConfigError: there is no database to work on.
    """
    db = settings.connect("web")
    passwords = Passwords()
    ctx = Context(db, bus, now, passwords, Logins(passwords))

    async def close() -> None:
        passwords.close()
        await db.close()

    return Service("web", db, close, routes=routes(ctx, ENDPOINTS, authenticate), is_ready=database)
