"""Since when a connection's webhooks are silent although something changed, as the sweep found."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0011"

STATEMENTS = ("ALTER TABLE webhook_arrivals ADD COLUMN silent_since timestamptz",)


def upgrade() -> None:
    """Add the column."""
    for statement in STATEMENTS:
        op.execute(statement)
