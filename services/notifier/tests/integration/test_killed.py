"""Whatever the provider does, and wherever the notifier is killed: exactly one message, or a failure that is seen.

One notification per script is under way when a real process kills itself; another process then finishes them all.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.contracts.receipts import ReceiptsReceived
from pagerpal_common.infobip import read_result
from pagerpal_common.testing.processes import end, spawn, watch
from pagerpal_notifier.handlers import on_receipts_received
from pagerpal_notifier.loops import take_up

from services.notifier.tests.integration.fake_infobip import (
    API_KEY,
    CUT,
    DUPLICATE,
    FLOODED,
    PENDING,
    TAKEN,
    TAKEN_THEN_500,
    TAKEN_THEN_CUT,
    TAKEN_THEN_GARBAGE,
    TAKEN_THEN_SILENT,
    Answer,
    Call,
    FakeInfobip,
    http,
    refused,
)
from services.notifier.tests.integration.victim import FAILPOINTS
from services.notifier.tests.integration.ways import given_rule
from services.notifier.tests.integration.world import World

Popen = subprocess.Popen[bytes]

VICTIM = Path(__file__).parent / "victim.py"

HANDSET = {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET"}
OPERATOR = {"groupId": 3, "groupName": "DELIVERED", "id": 2, "name": "DELIVERED_TO_OPERATOR"}
LOST = {"groupId": 2, "groupName": "UNDELIVERABLE", "id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED"}


@dataclass(frozen=True)
class Script:
    """What Infobip does with the SMS to one number; after these answers it takes everything."""

    name: str
    answers: Sequence[Answer]
    status: str = "sent"
    late: Sequence[Mapping[str, object]] = ()
    """Reported once everything else is over."""
    is_flooded: bool = False


SCRIPTS = (
    Script("takes it", [TAKEN]),
    Script("takes it, and the connection breaks", [TAKEN_THEN_CUT]),
    Script("the connection breaks before", [CUT]),
    Script("503 before it takes it", [http(503)]),
    Script("503 twice, then 500 after it took it", [http(503), http(503), TAKEN_THEN_500]),
    Script("500 after it took it", [TAKEN_THEN_500]),
    Script("429 with a wait", [http(429, retry_after="1")]),
    Script("429 twice", [http(429), http(429)]),
    Script("takes it, and does not answer in time", [TAKEN_THEN_SILENT]),
    Script("does not answer in time, nor take it", [Answer(is_taken=False, is_silent=True)]),
    Script("takes it, and answers what is no JSON", [TAKEN_THEN_GARBAGE]),
    Script("takes it, and calls it a duplicate", [Answer(status=DUPLICATE)]),
    Script("refuses it for good", [refused(6, "REJECTED_NETWORK")] * 4, "failed"),
    Script("the flooding filter refuses it", [], "failed", is_flooded=True),
    Script("its receipt is there before the answer", [Answer(early=[HANDSET])], "delivered"),
    Script("its receipt is there, and no answer", [Answer(early=[HANDSET], is_cut=True)], "delivered"),
    Script("its receipts are doubled", [Answer(early=[HANDSET, HANDSET])], "delivered"),
    Script("its receipts are reversed", [Answer(early=[HANDSET, OPERATOR, PENDING])], "delivered"),
    Script("a failure is taken back", [Answer(early=[LOST, HANDSET], is_cut=True)], "delivered"),
    Script("its receipt is late", [TAKEN_THEN_CUT], "delivered", late=[OPERATOR, HANDSET]),
    Script("its failure is late", [TAKEN], "failed", late=[LOST]),
)


def number_of(script: Script) -> str:
    return f"4366455500{SCRIPTS.index(script):02}"


async def given_notifications(world: World) -> None:
    """One SMS per script, each to a person of its own."""
    for script in SCRIPTS:
        user_id = await world.user(phone=f"+{number_of(script)}", email=f"{number_of(script)}@example.com")
        await given_rule(world, user_id, channel="sms")
        await world.page_request(await world.incident(title=script.name), user_id)
    await take_up(world.ctx)


def follow_scripts(world: World, infobip: FakeInfobip) -> None:
    """Receipts come in at another replica, here."""

    async def report(call: Call, status: Mapping[str, object]) -> None:
        receipt = read_result({"messageId": call.message_id, "status": status})
        assert receipt is not None
        await on_receipts_received(world.ctx, [ReceiptsReceived(receipts=(receipt,), occurred_at=world.clock())])

    infobip.report = report
    infobip.sms_script = {number_of(script): deque(script.answers) for script in SCRIPTS}
    infobip.flooded = {number_of(one): [str(place) for place in range(20)] for one in SCRIPTS if one.is_flooded}


async def run(
    failpoint: str, environment: Mapping[str, str], log: Path, is_over: Callable[[Popen], Awaitable[bool]]
) -> int | None:
    """Run a notifier until that is so; its exit code, if it has died."""
    process = spawn([sys.executable, str(VICTIM), failpoint, str(len(SCRIPTS))], dict(environment), log)
    watchdog = watch(process)
    try:
        async with asyncio.timeout(40):
            while not await is_over(process):  # noqa: ASYNC110 another process
                await asyncio.sleep(0.05)
        return process.poll()
    finally:
        await asyncio.to_thread(end, process, watchdog)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("failpoint", FAILPOINTS)
async def test_a_notifier_that_is_killed_leaves_one_message_or_a_failure_that_is_seen(
    world: World, infobip: FakeInfobip, smtp: Any, database_url: str, tmp_path: Path, failpoint: str
) -> None:
    follow_scripts(world, infobip)
    await given_notifications(world)
    environment = os.environ | {
        "PAGERPAL_DATABASE_URL": database_url,
        "INFOBIP_BASE_URL": infobip.url,
        "INFOBIP_API_KEY": API_KEY,
        "SMTP_URL": smtp.url,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }

    async def it_is_dead(process: Popen) -> bool:
        return process.poll() is not None

    async def nothing_waits(_process: Popen) -> bool:
        return not {"queued", "sending"} & set(await world.statuses())

    if failpoint != "nowhere":
        assert await run(failpoint, environment, tmp_path / "log", it_is_dead) == -signal.SIGKILL
    await run("nowhere", environment, tmp_path / "log", nothing_waits)
    await report_late(infobip)

    rows = {row["address"]: row for row in await world.notifications() if row["channel"] == "sms" and row["step"] == 1}
    for script in SCRIPTS:
        row, taken = rows[f"+{number_of(script)}"], taken_of(infobip, script)
        assert (script.name, row["status"]) == (script.name, script.status)
        is_refused = script.status == "failed" and not script.late
        assert (script.name, len(taken)) == (script.name, 0 if is_refused else 1)
        assert bool(row["error"]) is (row["status"] == "failed"), script.name
        assert is_refused or row["provider_message_id"] == UUID(taken[0].message_id)
    assert "FLOODING" in rows[f"+{number_of(SCRIPTS[13])}"]["error"]


async def report_late(infobip: FakeInfobip) -> None:
    assert infobip.report is not None
    for script in SCRIPTS:
        for status in script.late:
            await infobip.report(taken_of(infobip, script)[0], status)


def taken_of(infobip: FakeInfobip, script: Script) -> list[Call]:
    return [call for call in infobip.taken if call.to == number_of(script) and call.path.startswith("/sms")]


async def test_the_flooding_filter_counts_alike_and_different_texts(infobip: FakeInfobip) -> None:
    """What the scripts lean on."""
    call = Call("/sms/3/messages", "1", "id", "a text", {})
    infobip.flooded["1"] = ["a text"] * 5
    assert infobip._next(call) is TAKEN
    infobip.flooded["1"].append("a text")
    assert infobip._next(call) is FLOODED
