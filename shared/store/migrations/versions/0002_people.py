"""The directory of people: who was seen on which connection, by which e-mail address they are found on the other side.

Run by `shared.store.migrate`, once.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

PEOPLE = """
CREATE TABLE people (
    connection_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    email text COLLATE "C",
    name text,
    active boolean NOT NULL,
    team text,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, account_id)
);
CREATE INDEX people_email ON people (connection_id, email) WHERE email IS NOT NULL
"""


def upgrade() -> None:
    """Create the table."""
    for statement in PEOPLE.split(";\n"):
        op.execute(statement)
