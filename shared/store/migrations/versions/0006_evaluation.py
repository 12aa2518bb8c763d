"""Until which revision an admin has agreed that links which nobody touches are decided again."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "ALTER TABLE integrations ADD COLUMN agreed_revision integer NOT NULL DEFAULT 0",
    "UPDATE integrations SET agreed_revision = revision",
    "ALTER TABLE audit ADD COLUMN evaluated boolean NOT NULL DEFAULT false",
)


def upgrade() -> None:
    """Add the columns; what was saved before was agreed to by saving it."""
    for statement in STATEMENTS:
        op.execute(statement)
