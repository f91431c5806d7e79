"""How is ingest put together?"""

from contextlib import suppress
from functools import partial

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.errors import Unavailable
from pagerpal_common.metrics import ALERTS, begin_at_zero
from pagerpal_common.readiness import bus_or_database
from pagerpal_common.service import Loop, Service
from pagerpal_common.vocabulary import AlertOutcome, SourceEnding

from pagerpal_ingest.admission import Admission
from pagerpal_ingest.amazon import Amazon, Fetch
from pagerpal_ingest.context import Context
from pagerpal_ingest.database import find_senders, read_sources, spool
from pagerpal_ingest.endpoints import routes
from pagerpal_ingest.intake import Intake
from pagerpal_ingest.loops import (
    FORGET_LIMIT,
    FORGET_SECONDS,
    TALLIES_FORGOTTEN_SECONDS,
    TALLY_SECONDS,
    forget_old_tallies,
    forget_settled,
    write_tally,
)
from pagerpal_ingest.receipts import Receipts
from pagerpal_ingest.replies import Replies
from pagerpal_ingest.settings import IngestSettings
from pagerpal_ingest.sns import Sns, pin_topic
from pagerpal_ingest.sources import Sources
from pagerpal_ingest.tally import Tally


def build(settings: IngestSettings, bus: Bus, now: Now, *, fetch: Fetch | None = None) -> Service:
    """The ingest service, not running.

    Args:
        fetch: what stands for Amazon SNS; itself, when not given.

    Raises:
        ConfigError: there is no database URL.
    """
    database = settings.connect("ingest")
    receipts = Receipts(bus, settings.receipt_token, now)
    replies = Replies(bus, settings.receipt_token, now, partial(find_senders, database))
    intake = Intake(bus, partial(spool, database, now), now, reply_seconds=settings.reply_seconds)
    tally = Tally()
    begin_at_zero(ALERTS, (*AlertOutcome, *SourceEnding))
    admission = Admission(intake, tally, now, alerts_per_second=settings.source_alerts_per_second)
    sources = Sources(partial(read_sources, database), now, admission.refuse_key)
    sns = Sns(fetch or Amazon().fetch, partial(pin_topic, database, now), now)

    async def close() -> None:
        await intake.finish()
        await sources.finish()
        await sns.finish()
        with suppress(Unavailable):
            await write_tally(database, tally)
        await database.close()

    return Service(
        name="ingest",
        db=database,
        close=close,
        loops=(
            Loop("ingest.alert_spool", partial(forget_settled, database), FORGET_SECONDS),
            Loop("ingest.source_tally", partial(write_tally, database, tally), TALLY_SECONDS),
            Loop(
                "ingest.source_history",
                partial(forget_old_tallies, database, now),
                TALLIES_FORGOTTEN_SECONDS,
                batch=FORGET_LIMIT,
            ),
        ),
        routes=routes(Context(sources, admission, now, sns, receipts, replies)),
        is_ready=bus_or_database,
    )
