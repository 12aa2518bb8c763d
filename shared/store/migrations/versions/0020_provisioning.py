"""Provisioning from mounted files: what each file came to, and which replica of the console does it."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0017"

STATEMENTS = (
    'CREATE TABLE provisioned_files (file text COLLATE "C" PRIMARY KEY, body json NOT NULL)',
    """
    CREATE TABLE provisioner (
        one boolean PRIMARY KEY CHECK (one),
        owner text NOT NULL,
        until timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create both tables."""
    for statement in STATEMENTS:
        op.execute(statement)
