"""Forgetting a person: what is kept for ever may lose who it was about, and nothing else.

The switch holds for one transaction of `tandem forget-person` (`shared.store.forget`); no other code sets it. Rows are
still never deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"

REFUSE = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('tandem.forgetting', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on table % is refused: its rows are kept for ever', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$
"""


def upgrade() -> None:
    """Replace the function that refuses."""
    op.execute(REFUSE)
