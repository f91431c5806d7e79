"""How is ingest put together?"""

from functools import partial

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.service import Loop, Service

from pagerpal_ingest.endpoints import Context, read_sources, routes, spool
from pagerpal_ingest.intake import Intake
from pagerpal_ingest.loops import FORGET_SECONDS, forget_settled
from pagerpal_ingest.settings import IngestSettings
from pagerpal_ingest.sources import Sources


def build(settings: IngestSettings, bus: Bus, now: Now) -> Service:
    """The ingest service, not running.

    Raises:
        ConfigError: there is no database URL.
    """
    database = settings.connect("ingest")
    sources = Sources(partial(read_sources, database), now)
    intake = Intake(bus, partial(spool, database, now), now, reply_seconds=settings.reply_seconds)

    async def close() -> None:
        await intake.finish()
        await sources.finish()
        await database.close()

    return Service(
        name="ingest",
        close=close,
        loops=(Loop("alert_spool", partial(forget_settled, database), FORGET_SECONDS),),
        routes=routes(Context(sources, intake, now)),
    )
