"""Links that are held back or absent, what lets them go, and what became of people's requests."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

# The new check is not tried on the rows that there are: it allows all that the old one did.
STATEMENTS = """
ALTER TABLE links DROP CONSTRAINT links_state_check;
ALTER TABLE links ADD CONSTRAINT links_state_check CHECK (state IN ('held', 'waiting', 'creating', 'ask', 'active',
    'paused', 'unsynced', 'excluded', 'absent', 'gone')) NOT VALID;
ALTER TABLE links ADD COLUMN held_since timestamptz;
CREATE INDEX links_held ON links (integration_id, origin, held_since) INCLUDE (reason) WHERE state = 'held';
CREATE INDEX links_held_by ON links (integration_id, revision_seen, coalesce(looked_at, created_at), id)
    WHERE state = 'held' AND not_before IS NULL;
CREATE INDEX links_absent ON links (id) WHERE state = 'absent';
ALTER TABLE integrations ADD COLUMN let_go_to_jira timestamptz;
ALTER TABLE integrations ADD COLUMN let_go_to_craft timestamptz;
ALTER TABLE audit ADD COLUMN let_go text;
CREATE TABLE requests (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    link_id text COLLATE "C",
    state text NOT NULL CHECK (state IN ('asked', 'done', 'refused')),
    code text,
    message text,
    next_step text,
    answered_at timestamptz
);
CREATE INDEX requests_link ON requests (link_id, asked_at) WHERE link_id IS NOT NULL;
CREATE INDEX requests_asked ON requests (asked_at)
"""


def upgrade() -> None:
    """Widen the states, and add what they need."""
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)
