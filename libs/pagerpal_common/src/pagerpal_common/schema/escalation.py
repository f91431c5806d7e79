"""How far each escalation has come, and when it goes on. Written by the escalator alone."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from pagerpal_common.schema.columns import instant, loop_runs, metadata, outbox

SCHEMA = "escalation"

escalations = Table(
    "escalations",
    metadata,
    Column("escalation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("incident_id", BigInteger, nullable=False, index=True),
    Column("team_id", BigInteger, nullable=False),
    Column("policy", JSONB, nullable=False),  # as it stood when the run began
    Column("state", Text, nullable=False),
    # The place last known to be entered.
    Column("pass_number", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reminder", Integer, nullable=False),
    # What incidents has been asked for and not yet been seen to do: an EscalateIncident.
    Column("asked", JSONB),
    instant("due_at", nullable=True),  # when to look again; null once the run is over
    instant("started_at"),
    schema=SCHEMA,
)
Index("escalations_due_idx", escalations.c.due_at, postgresql_where=escalations.c.due_at.is_not(None))
Index("escalations_asked_idx", escalations.c.escalation_id, postgresql_where=escalations.c.asked.is_not(None))

escalation_outbox = outbox(SCHEMA)
escalation_loop_runs = loop_runs(SCHEMA)

OWNED = (escalations, escalation_outbox, escalation_loop_runs)
