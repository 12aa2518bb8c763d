"""Dry runs: what a draft of an integration would do to live items. Removed some days after they were asked for.

Run by `shared.store.migrate`, once.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0003"

DRY_RUNS = """
CREATE TABLE dry_runs (
    id text COLLATE "C" PRIMARY KEY,
    integration_id text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'reading', 'done', 'failed', 'cancelled')),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    note text,
    why text,
    body json NOT NULL
);
CREATE INDEX dry_runs_integration ON dry_runs (integration_id, created_at);
CREATE INDEX dry_runs_open ON dry_runs (created_at) WHERE state IN ('open', 'reading');
CREATE TABLE dry_run_items (
    dry_run_id text COLLATE "C" NOT NULL REFERENCES dry_runs ON DELETE CASCADE,
    n integer NOT NULL,
    jira_id text COLLATE "C",
    craft_id text COLLATE "C",
    attempts integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    answered boolean NOT NULL DEFAULT false,
    outlooks text[] NOT NULL DEFAULT '{}',
    verdicts text[] NOT NULL DEFAULT '{}',
    body json,
    PRIMARY KEY (dry_run_id, n)
);
CREATE INDEX dry_run_items_unanswered ON dry_run_items (dry_run_id, n) WHERE NOT answered;
CREATE TABLE dry_run_names (
    dry_run_id text COLLATE "C" NOT NULL REFERENCES dry_runs ON DELETE CASCADE,
    side text NOT NULL,
    pair text NOT NULL,
    value text COLLATE "C" NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (dry_run_id, value, side, pair)
);
CREATE INDEX links_integration ON links (integration_id, id)
"""


def upgrade() -> None:
    """Create the tables, and an index by which the links of one integration are listed."""
    for statement in DRY_RUNS.split(";\n"):
        op.execute(statement)
