"""When the credentials of a connection end: as somebody entered it, and as the vendor tells. Columns, and not in the
body: a release that does not know them still reads the connection.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"

STATEMENTS = (
    "ALTER TABLE connections ADD COLUMN expires_on date",
    "ALTER TABLE connections ADD COLUMN expires_told timestamptz",
)


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
