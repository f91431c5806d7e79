"""What becomes of a key that somebody pressed when we called? A command to incidents or to the escalator."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.keys import command_of
from pagerpal_notifier.storage.keys import list_called

log = structlog.get_logger(__name__)


async def take(ctx: Context, pressed: Mapping[UUID, str]) -> None:
    """Write the commands of these keys, by their calls' message ids, into the outbox, and commit.

    Safe to repeat, late or early: what a key says is done while the page that it answers is still wanted, and that is
    over once it has been done.

    Raises:
        Unavailable: nothing is certain; the same keys may be given again.
    """
    now = ctx.now()
    async with ctx.db.begin() as tx:
        called = await list_called(tx, list(pressed))
        commands = [
            command for one in called if (command := command_of(pressed[one.message_id], one, at=now)) is not None
        ]
        await ctx.outbox.add(tx, commands)
    for one in called:
        log.info(
            "key.pressed", notification_id=one.notification_id, incident_id=one.incident_id, is_wanted=one.is_wanted
        )
    ctx.outbox.bell.ring()
