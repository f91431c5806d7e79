"""Providers in trouble, how much each is given, and receipts that do not come."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATES = ("closed", "open", "probing")


def upgrade() -> None:
    op.create_table(
        "circuits",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ({})".format(", ".join(f"'{state}'" for state in STATES)), name=op.f("circuits_state_check")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("circuits_pkey")),
        schema="notification",
    )
    op.create_table(
        "rations",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("rations_pkey")),
        schema="notification",
        postgresql_with={"fillfactor": 50},
    )
    op.add_column("notifications", sa.Column("held_by", sa.Text(), nullable=True), schema="notification")
    for name in ("watch_at", "unheard_at"):
        op.add_column("notifications", sa.Column(name, sa.DateTime(timezone=True)), schema="notification")
    for name, column in (("held", "held_by"), ("watch", "watch_at")):
        op.create_index(
            f"notifications_{name}_idx",
            "notifications",
            [column],
            schema="notification",
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
