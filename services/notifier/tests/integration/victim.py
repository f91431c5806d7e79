"""A notifier that dies where it is told to, by a real SIGKILL: `python victim.py FAILPOINT NOTIFICATIONS`.

Only this file knows of failpoints, and of times that are short enough for a test: it puts both into the modules of the
notifier before it builds one. Without a failpoint it lives until it is killed from outside.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Never

from pagerpal_common import clock, log
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.config import load
from pagerpal_common.service import running
from pagerpal_notifier import gates, loops
from pagerpal_notifier.domain import answers, circuit, delivery
from pagerpal_notifier.records import Records
from pagerpal_notifier.service import build
from pagerpal_notifier.settings import NotifierSettings

SEND_SECONDS = 0.7
DEADLINE = timedelta(seconds=1.5)
SHORT = timedelta(seconds=0.2)


def die() -> Never:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing outlives that")


def put(where: Any, name: str, value: Any) -> None:
    """In the place of what is there, which must be."""
    assert hasattr(where, name)
    setattr(where, name, value)


def before_the_claim_commits(_number: int) -> None:
    settle = gates.settle

    async def dying(ctx: Any, tx: Any, gate: Any, claims: Any) -> None:
        await settle(ctx, tx, gate, claims)
        if claims:
            die()

    put(gates, "settle", dying)


def before_the_post(_number: int) -> None:
    async def dying(*_: Any) -> Any:
        die()

    put(loops, "call", dying)


def before_the_record(number: int) -> None:
    """Once each of so many has come to an end at the provider."""
    ended: list[int] = []

    async def dying(_self: Any, claim: Any, *_: Any) -> Any:
        ended.append(claim.notification_id)
        if len(ended) == number:
            die()
        await asyncio.Event().wait()

    put(Records, "keep", dying)


def after_the_record(number: int) -> None:
    """Once what came of each of so many is committed."""
    keep = Records.keep
    kept: list[int] = []

    async def dying(self: Any, claim: Any, outcome: Any, provider: Any) -> Any:
        change = await keep(self, claim, outcome, provider)
        kept.append(claim.notification_id)
        if len(kept) == number:
            die()
        return change

    put(Records, "keep", dying)


def nowhere(_number: int) -> None:
    """For the process that comes after."""


FAILPOINTS: Mapping[str, Callable[[int], None]] = {
    one.__name__: one
    for one in (before_the_claim_commits, before_the_post, before_the_record, after_the_record, nowhere)
}


def hurry() -> None:
    """Every wait of a send, made short."""
    put(loops, "SEND_SECONDS", SEND_SECONDS)
    put(loops, "DEADLINE", DEADLINE)
    put(circuit, "DEADLINE", DEADLINE)
    put(circuit, "PAUSES", (SHORT,))
    put(delivery, "BACKOFF", (SHORT,))
    put(answers, "LONGEST_WAIT", SHORT)


async def live() -> None:
    bus = MemoryBus()
    service = build(load(NotifierSettings), bus, clock.utc_now)
    async with running([service], bus, clock.utc_now):
        await asyncio.Event().wait()


if __name__ == "__main__":
    log.configure()
    hurry()
    FAILPOINTS[sys.argv[1]](int(sys.argv[2]))
    asyncio.run(live())
