"""How is web put together?"""

from functools import partial

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.http import routes
from pagerpal_common.readiness import database
from pagerpal_common.service import Loop, Service

from pagerpal_web.accounts import authenticate
from pagerpal_web.api import ENDPOINTS
from pagerpal_web.auditor import audit
from pagerpal_web.context import Context
from pagerpal_web.domain.attempts import Attempts
from pagerpal_web.domain.auditor import LOOK_SECONDS
from pagerpal_web.domain.budget import Budget
from pagerpal_web.domain.recent import Recent
from pagerpal_web.domain.session import IDLE
from pagerpal_web.handlers import subscriptions
from pagerpal_web.logins import REMEMBERED_LIMIT, Logins
from pagerpal_web.measures import measure
from pagerpal_web.outgoing_heartbeat import EVERY_SECONDS, OutgoingHeartbeat
from pagerpal_web.passwords import Passwords
from pagerpal_web.pulse import Pulse
from pagerpal_web.secret_key import ack_keys, load_keys, setup_token
from pagerpal_web.sessions import AUDIENCE
from pagerpal_web.settings import WebSettings
from pagerpal_web.tokens import Tokens
from pagerpal_web.ui import PAGES
from pagerpal_web.ui.pages import show_error


def build(settings: WebSettings, bus: Bus, now: Now) -> Service:
    """Web, built but not running.

    Raises:
        ConfigError: there is no database to work on, or no place for a key.
    """
    keys = load_keys(settings)
    db = settings.connect("web")
    passwords, attempts, pulse = Passwords(), Attempts(), Pulse(db)
    ctx = Context(
        settings=settings,
        db=db,
        bus=bus,
        now=now,
        passwords=passwords,
        logins=Logins(passwords, attempts),
        attempts=attempts,
        failures=Budget(),
        ignored_replies=Budget(),
        callers=Recent(IDLE, REMEMBERED_LIMIT),
        session_tokens=Tokens(AUDIENCE, keys.ring(AUDIENCE)),
        ack_keys=ack_keys(keys),
        form_keys=keys.ring("forms"),
        pulse=pulse,
        setup_token=setup_token(keys),
    )

    async def close() -> None:
        await pulse.close()
        passwords.close()
        await db.close()

    return Service(
        "web",
        db,
        close,
        subscriptions=subscriptions(ctx),
        loops=(
            Loop("web.auditor", partial(audit, ctx), LOOK_SECONDS),
            Loop("web.outgoing_heartbeat", OutgoingHeartbeat(ctx).beat, EVERY_SECONDS),
        ),
        routes=routes(ctx, (*ENDPOINTS, *PAGES), authenticate),
        measure=partial(measure, ctx),
        is_ready=database,
        show=partial(show_error, ctx),
    )
