"""Indexes by which links that an older revision decided, or that wait, are found in the order in which they are due."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

IN_TURN = "(integration_id, revision_seen, coalesce(looked_at, created_at), id)"
REFUSED = "state = 'excluded' AND not_before IS NULL"
LIVE = "state IN ('active', 'creating') AND not_before IS NULL"
WAITING = "state = 'waiting' OR (state = 'active' AND waits_for IS NOT NULL)"

STATEMENTS = (
    f"CREATE INDEX links_refused_by ON links {IN_TURN} WHERE {REFUSED}",
    f"CREATE INDEX links_decided_by ON links {IN_TURN} WHERE {LIVE}",
    f"CREATE INDEX links_waiting_since ON links (coalesce(looked_at, created_at), id) WHERE {WAITING}",
    "DROP INDEX links_waiting",
)


def upgrade() -> None:
    """Create the indexes, and drop the one that a query could not use in order."""
    for statement in STATEMENTS:
        op.execute(statement)
