"""Steps of a migration that take long, made so that everybody goes on working meanwhile. Called by migrations."""

from __future__ import annotations

from alembic import op


def create_index(name: str, on: str, *, unique: bool = False) -> None:
    """Build an index beside the work on its table; `on` is what follows ON. Ends the step's transaction.

    One that an earlier attempt left unfinished is built anew. Put it into a migration of its own, which then may be
    taken again from its beginning.
    """
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")
