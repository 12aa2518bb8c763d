"""Whether the tables are there and as new as this release needs. Called by `open_postgres`, before anything is read.

A newer schema is fine: the next release migrates while this one still runs. Imports no alembic: services only compare.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

import asyncpg

from shared.store.port import StoreUnavailable

_REVISION: Final = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_BEFORE: Final = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)
_COMMAND: Final = "python -m shared.store.migrate"


class SchemaBehind(StoreUnavailable):
    """The tables are missing or older than this release: it waits until somebody has run the migration."""


def known_schemas() -> tuple[str, frozenset[str]]:
    """Return the schema of this release, and all that it came from."""
    folder = resources.files("shared.store.migrations") / "versions"
    texts = [step.read_text(encoding="utf-8") for step in folder.iterdir() if step.name.endswith(".py")]
    revisions = {found[1] for text in texts if (found := _REVISION.search(text))}
    before = {found[1] for text in texts if (found := _BEFORE.search(text))}
    (latest,) = revisions - before
    return latest, frozenset(before)


async def check_schema(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Raise `SchemaBehind`, whose words name the command, unless the tables suffice for this release."""
    latest, before = known_schemas()
    try:
        found = await pool.fetchval("SELECT max(version_num) FROM alembic_version")
    except asyncpg.UndefinedTableError:
        found = None
    if found is None:
        raise SchemaBehind(f"the database has no tables of Tandem yet; create them with `{_COMMAND}`")
    if found in before:
        raise SchemaBehind(
            f"the database has schema {found} and this release needs {latest}; bring it up to date with `{_COMMAND}`"
        )
