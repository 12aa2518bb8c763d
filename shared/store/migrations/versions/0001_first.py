"""The first schema: links with their ledger and notes, configuration with its revisions, cursors, and what waits for
people.

A record's searched properties are columns; the rest is one `json` column (not `jsonb`: that would give back 1e300 as
an integer, sort keys and refuse a NUL character, and nothing searches in it). Ids compare bytewise (COLLATE "C"), so
that their order is the same everywhere. Run by `shared.store.migrate`, once.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

LINKS = """
CREATE TABLE links (
    id text COLLATE "C" PRIMARY KEY,
    integration_id text COLLATE "C" NOT NULL,
    jira_connection text COLLATE "C" NOT NULL,
    jira_id text COLLATE "C",
    craft_connection text COLLATE "C" NOT NULL,
    craft_id text COLLATE "C",
    origin text NOT NULL CHECK (origin IN ('jira', 'craft')),
    state text NOT NULL CHECK (
        state IN ('waiting', 'creating', 'ask', 'active', 'paused', 'unsynced', 'excluded', 'gone')),
    reason text,
    op_id text COLLATE "C",
    next_seq integer NOT NULL,
    not_before timestamptz,
    waits_for text COLLATE "C",
    revision_seen integer NOT NULL,
    jira_mark bigint NOT NULL,
    jira_dirty_since timestamptz,
    craft_mark bigint NOT NULL,
    craft_dirty_since timestamptz,
    conflicts_open integer NOT NULL,
    created_at timestamptz NOT NULL,
    body json NOT NULL,
    looked_at timestamptz
)
"""

# All states count, tombstones included (PROTOCOL F20).
LINK_INDEXES = """
CREATE UNIQUE INDEX links_jira_entity ON links (jira_connection, jira_id) WHERE jira_id IS NOT NULL;
CREATE UNIQUE INDEX links_craft_entity ON links (craft_connection, craft_id) WHERE craft_id IS NOT NULL;
CREATE INDEX links_jira_id ON links (jira_id) WHERE jira_id IS NOT NULL;
CREATE INDEX links_craft_id ON links (craft_id) WHERE craft_id IS NOT NULL;
CREATE INDEX links_not_before ON links (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX links_waits_for ON links (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX links_waiting ON links (looked_at) WHERE state = 'waiting' OR waits_for IS NOT NULL;
CREATE INDEX links_paused ON links (reason) WHERE state = 'paused';
CREATE INDEX links_ask ON links (id) WHERE state = 'ask';
CREATE INDEX links_conflicts ON links (conflicts_open) WHERE conflicts_open > 0;
CREATE INDEX links_revision ON links (integration_id, revision_seen)
    WHERE state IN ('active', 'creating', 'excluded');
CREATE INDEX links_jira_dirty ON links (jira_connection, jira_dirty_since)
    WHERE jira_dirty_since IS NOT NULL;
CREATE INDEX links_craft_dirty ON links (craft_connection, craft_dirty_since)
    WHERE craft_dirty_since IS NOT NULL
"""

OPERATIONS = """
CREATE TABLE operations (
    id text COLLATE "C" PRIMARY KEY,
    link_id text COLLATE "C" NOT NULL REFERENCES links,
    seq integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('create', 'write', 'restore')),
    target text NOT NULL CHECK (target IN ('jira', 'craft')),
    type_id text,
    revision integer NOT NULL,
    open boolean NOT NULL,
    result text,
    attempts integer NOT NULL,
    lease_until timestamptz,
    owner text,
    post_started_at timestamptz,
    result_id text COLLATE "C",
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    values_hash text COLLATE "C",
    body json NOT NULL,
    UNIQUE (link_id, seq)
);
CREATE UNIQUE INDEX operations_one_open ON operations (link_id) WHERE open;
CREATE INDEX operations_open ON operations (created_at) WHERE open;
CREATE INDEX operations_open_creates ON operations (target, values_hash) WHERE open AND kind = 'create'
"""

NOTES = """
CREATE TABLE conflicts (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    link_id text COLLATE "C" NOT NULL REFERENCES links,
    body json NOT NULL
);
CREATE INDEX conflicts_link ON conflicts (link_id, n);
CREATE TABLE history (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    link_id text COLLATE "C" NOT NULL REFERENCES links,
    pair text NOT NULL,
    side text NOT NULL,
    value json NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX history_link ON history (link_id, n);
CREATE TABLE link_status (
    link_id text COLLATE "C" PRIMARY KEY,
    integration_id text COLLATE "C" NOT NULL,
    state text NOT NULL,
    body json NOT NULL
);
CREATE INDEX link_status_state ON link_status (integration_id, state, link_id)
"""

CONFIGURATION = """
CREATE TABLE integrations (
    id text COLLATE "C" PRIMARY KEY,
    revision integer NOT NULL,
    jira_connection text COLLATE "C" NOT NULL,
    craft_connection text COLLATE "C" NOT NULL,
    body json NOT NULL
);
CREATE TABLE integration_revisions (
    id text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    body json NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (id, revision)
);
CREATE TABLE connections (
    id text COLLATE "C" PRIMARY KEY,
    revision integer NOT NULL,
    paused_reason text,
    body json NOT NULL
);
CREATE TABLE connection_revisions (
    id text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    body json NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (id, revision)
);
CREATE TABLE connection_secrets (
    connection_id text COLLATE "C" PRIMARY KEY,
    sealed bytea NOT NULL
);
CREATE TABLE audit (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    by text NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
)
"""

REST = """
CREATE TABLE cursors (
    name text COLLATE "C" PRIMARY KEY,
    value json NOT NULL
);
CREATE TABLE parked (
    side text COLLATE "C" NOT NULL,
    connection_id text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    event bytea NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (side, connection_id, entity_id)
);
CREATE INDEX parked_until ON parked (until);
CREATE TABLE strays (
    side text COLLATE "C" NOT NULL,
    connection_id text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    link_id text COLLATE "C",
    reason text NOT NULL,
    flagged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (side, connection_id, entity_id)
)
"""

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on table % is refused: its rows are kept for ever', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$
"""

# Rows of links are never deleted (PROTOCOL F20); notes and saved revisions are append only.
KEPT = {
    "links": "DELETE",
    "conflicts": "DELETE OR UPDATE",
    "history": "DELETE OR UPDATE",
    "audit": "DELETE OR UPDATE",
    "integration_revisions": "DELETE OR UPDATE",
    "connection_revisions": "DELETE OR UPDATE",
}

# Two statements, so that the row is read by a snapshot taken after the wait. A lock on the row itself (FOR SHARE) would
# do the same, but each reader would write to that one row, and a saver could starve behind readers that keep coming.
SHARE_INTEGRATION = """
CREATE FUNCTION share_integration(wanted text) RETURNS TABLE (revision integer, body json) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('integration:' || wanted, 0));
    RETURN QUERY SELECT i.revision, i.body FROM integrations i WHERE i.id = wanted;
END
$$
"""


def upgrade() -> None:
    """Create everything."""
    for statements in (LINKS, LINK_INDEXES, OPERATIONS, NOTES, CONFIGURATION, REST):
        for statement in statements.split(";\n"):
            op.execute(statement)
    op.execute(REFUSE)
    for table, events in KEPT.items():
        op.execute(f"CREATE TRIGGER kept BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
        op.execute(f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse()")
    op.execute(SHARE_INTEGRATION)
