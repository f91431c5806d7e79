"""What the handlers and loops of this service work with."""

from dataclasses import dataclass

from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.outbox import Outbox


@dataclass(frozen=True)
class Context:
    db: Database
    outbox: Outbox
    now: Now
