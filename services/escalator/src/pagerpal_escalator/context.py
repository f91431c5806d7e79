"""What the handlers and loops of this service work with."""

import asyncio
from dataclasses import dataclass, field

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.outbox import Outbox

MESSAGES_AT_A_TIME = 4
"""Transactions for messages side by side. However many incidents break out at once, the pool keeps connections for the
loops, so that no level that falls due waits behind them."""


@dataclass(frozen=True)
class Context:
    db: Database
    bus: Bus
    outbox: Outbox
    now: Now
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MESSAGES_AT_A_TIME))
    """Passed by every transaction that a message causes."""
