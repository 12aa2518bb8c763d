"""Trying again together what was refused; finding what waits for a connection integration by integration."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

IN_TURN = "(integration_id, coalesce(looked_at, created_at), id)"

STATEMENTS = (
    "ALTER TABLE integrations ADD COLUMN retry_asked_at timestamptz",
    "ALTER TABLE audit ADD COLUMN retried boolean NOT NULL DEFAULT false",
    f"CREATE INDEX links_refused ON links {IN_TURN} INCLUDE (retry_at, state) WHERE retry_at IS NOT NULL",
    f"CREATE INDEX links_paused_by ON links {IN_TURN} WHERE state = 'paused' AND reason = 'connection_paused'",
    "DROP INDEX links_paused",
)


def upgrade() -> None:
    """Add the admin's word, and how it and what is paused are found."""
    for statement in STATEMENTS:
        op.execute(statement)
