"""What the handlers and loops of this service work with."""

from dataclasses import dataclass, field

from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.outbox import Outbox
from sqlalchemy import TextClause

from pagerpal_incidents.assignment import Assignments
from pagerpal_incidents.storage.incidents import batch_statement


@dataclass(frozen=True)
class Context:
    db: Database
    outbox: Outbox
    now: Now
    batch_statement: TextClause
    """What a batch of alerts writes, in one statement."""
    assignments: Assignments = field(default_factory=Assignments)


def context(db: Database, outbox: Outbox, now: Now) -> Context:
    """The context, with what is prepared once."""
    return Context(db, outbox, now, batch_statement(outbox))
