"""Which request and which trace a page goes back to."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("page_requests", sa.Column("request_id", sa.Text(), nullable=True), schema="incidents")
    op.add_column("page_requests", sa.Column("traceparent", sa.Text(), nullable=True), schema="incidents")
