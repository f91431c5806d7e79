"""What a page's reasons speak of by number is looked up where people read them, and nowhere else."""

import json

import pytest
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.storage.reasons import with_names

from services.notifier.tests.integration.test_mail import CLAIM
from services.notifier.tests.integration.world import World


@pytest.mark.parametrize(("channel", "is_named"), [(Channel.EMAIL, True), (Channel.SLACK, True), (Channel.SMS, False)])
async def test_a_rotation_is_looked_up_for_a_mail_and_a_chat(world: World, channel: Channel, is_named: bool) -> None:
    (made,) = await world.rows(
        "WITH team AS (INSERT INTO directory.teams (name, created_at) VALUES ('Base', :now) RETURNING id),"
        " core AS (INSERT INTO directory.schedules (team_id, name, timezone, created_at)"
        " SELECT id, 'Core', 'UTC', :now FROM team RETURNING id)"
        " INSERT INTO directory.schedule_rotations (schedule_id, name, kind, length, handoff_at, priority,"
        " restrictions) SELECT id, 'Nights', 'weekly', 1, '2026-05-18T09:00:00', 0, CAST(:none AS jsonb)"
        " FROM core RETURNING id",
        now=world.clock(),
        none=json.dumps([]),
    )
    page = Page(42, Severity.CRITICAL, "Disk full", "", (f"on call on schedule 'Core' by rotation {made['id']}",))
    claim = Claim(1, 42, 1, await world.user(), 9, channel, 1, 1, 1, CLAIM.attempt_id, "x", page)

    async with world.ctx.db.begin() as tx:
        (named,) = await with_names(tx, [claim])

    assert isinstance(named.page, Page)
    assert dict(named.page.known.rotations) == ({made["id"]: "Nights"} if is_named else {})
    assert named.page.reason == page.reason
