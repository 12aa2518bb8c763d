"""What came of the webhooks of each connection: one row each, changed every few seconds at most."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    """
    CREATE TABLE webhook_arrivals (
        connection_id text COLLATE "C" PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
        accepted_at timestamptz,
        refused_since timestamptz,
        refused_at timestamptz,
        because text
    )
    """,
)


def upgrade() -> None:
    """Add the table."""
    for statement in STATEMENTS:
        op.execute(statement)
