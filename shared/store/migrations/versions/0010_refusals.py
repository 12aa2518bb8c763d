"""When what a vendor refused is tried again by itself."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the time, and how it is found."""
    op.execute("ALTER TABLE links ADD COLUMN retry_at timestamptz")
    op.execute("CREATE INDEX links_retry ON links (retry_at) WHERE retry_at IS NOT NULL")
