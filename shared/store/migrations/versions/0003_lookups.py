"""Looking things up: the link of an item by the name that people know it by, and what a restored revision came from.

Columns that the mapper writes, not expressions over `body`: an expression would refuse a status whose JSON has a NUL
character in it (see 0001). A mapper of the release before leaves them as they are until it is replaced.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    'ALTER TABLE link_status ADD COLUMN jira_key text COLLATE "C", ADD COLUMN craft_short_id text COLLATE "C"',
    r"""
    UPDATE link_status SET jira_key = lower(body -> 'labels' ->> 'jira_key'),
        craft_short_id = lower(body -> 'labels' ->> 'craft_short_id')
    WHERE position('\u0000' in body::text) = 0
    """,
    "CREATE INDEX link_status_jira_key ON link_status (jira_key, link_id) WHERE jira_key IS NOT NULL",
    "CREATE INDEX link_status_craft_short_id ON link_status (craft_short_id, link_id) WHERE craft_short_id IS NOT NULL",
    "ALTER TABLE audit ADD COLUMN restored_from integer",
)


def upgrade() -> None:
    """Add the columns, fill them from what is stored, index them."""
    for statement in STATEMENTS:
        op.execute(statement)
