"""Counting without counting: how many items are in which state, kept by triggers, and who shows it.

A trigger notes the cause of each status and since when its item has been out of sync, another one notes by how much
the counts change. Notes are rows that are only added, so that no two transactions wait for each other; whoever holds
the lease `census` sums them up every few seconds. Triggers, and not the mapper: they count the same whichever release
writes, also while two run side by side.

Online: nothing is locked for longer than an instant. The rows that are there already are counted in batches.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from shared.store.migrations.online import create_index

revision = "0016"
down_revision = "0014"

TABLES = """
ALTER TABLE link_status ADD COLUMN IF NOT EXISTS cause text;
ALTER TABLE link_status ADD COLUMN IF NOT EXISTS behind_since timestamptz;
CREATE TABLE IF NOT EXISTS item_counts (
    integration_id text COLLATE "C" NOT NULL,
    state text NOT NULL,
    cause text NOT NULL,
    items bigint NOT NULL,
    PRIMARY KEY (integration_id, state, cause)
);
CREATE TABLE IF NOT EXISTS item_count_notes (
    integration_id text COLLATE "C" NOT NULL,
    state text NOT NULL,
    cause text NOT NULL,
    items integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE TABLE IF NOT EXISTS leases (
    name text COLLATE "C" PRIMARY KEY,
    owner text NOT NULL,
    until timestamptz NOT NULL
)
"""

# Taken out of the text: Postgres reads no JSON in which somebody's value has a NUL. The cause is among the first things
# that a status says, and its time the last one.
STANDING = r"""
CREATE OR REPLACE FUNCTION note_standing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.cause := coalesce(substring(NEW.body::text FROM '"cause"\s*:\s*"([a-z_]+)"'), 'ok');
    IF NEW.state IN ('in_sync', 'held', 'unsynced', 'gone') THEN
        NEW.behind_since := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.behind_since IS NULL THEN
        NEW.behind_since := coalesce(
            substring(NEW.body::text FROM '"at"\s*:\s*"([0-9TZ:.+-]+)"\s*\}$')::timestamptz, now());
    ELSE
        NEW.behind_since := OLD.behind_since;
    END IF;
    RETURN NEW;
END $$
"""

NOTE_STANDING = """
CREATE OR REPLACE TRIGGER note_standing BEFORE INSERT OR UPDATE ON link_status
    FOR EACH ROW EXECUTE FUNCTION note_standing()
"""

# A row without a cause is one that was not counted yet: it is added, and nothing is taken away for it.
COUNTS = """
CREATE OR REPLACE FUNCTION note_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO item_count_notes
        SELECT integration_id, state, cause, count(*) FROM added GROUP BY integration_id, state, cause;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO item_count_notes
        SELECT integration_id, state, cause, -count(*) FROM removed WHERE cause IS NOT NULL
        GROUP BY integration_id, state, cause;
    ELSE
        INSERT INTO item_count_notes
        SELECT integration_id, state, cause, sum(n) FROM (
            SELECT integration_id, state, cause, 1 AS n FROM added
            UNION ALL SELECT integration_id, state, cause, -1 FROM removed WHERE cause IS NOT NULL) AS changed
        GROUP BY integration_id, state, cause HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $$
"""

NOTE_COUNTS = """
CREATE OR REPLACE TRIGGER note_counts_added AFTER INSERT ON link_status
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_counts();
CREATE OR REPLACE TRIGGER note_counts_changed AFTER UPDATE ON link_status
    REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION note_counts();
CREATE OR REPLACE TRIGGER note_counts_removed AFTER DELETE ON link_status
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION note_counts()
"""

BEHIND = "link_status (integration_id, state, cause, behind_since) WHERE behind_since IS NOT NULL"

# The triggers do the work: each row that is touched is noted and counted.
COUNT_SOME = """
WITH uncounted AS (
    SELECT link_id FROM link_status WHERE link_id > :after AND cause IS NULL ORDER BY link_id LIMIT 5000 FOR UPDATE
), counted AS (
    UPDATE link_status s SET state = s.state FROM uncounted WHERE s.link_id = uncounted.link_id RETURNING s.link_id
)
SELECT max(link_id) FROM counted
"""


def upgrade() -> None:
    """Add the tables and triggers, then count what is there. Begun anew after a failure, it goes on where it was."""
    for statement in (*TABLES.split(";\n"), STANDING, NOTE_STANDING, COUNTS, *NOTE_COUNTS.split(";\n")):
        op.execute(statement)
    create_index("link_status_behind", BEHIND)
    with op.get_context().autocommit_block():
        after: str | None = ""
        while after is not None:
            after = op.get_bind().execute(text(COUNT_SOME), {"after": after}).scalar()
