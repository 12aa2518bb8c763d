"""What came of webhooks, on Postgres. Called by the gateway through `ArrivalsWriter`, by the reconciler through
`SilenceWriter`, by the console through `ArrivalsReader`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId
from shared.store.postgres.config import EXCLUDE
from shared.store.postgres.core import Core
from shared.store.postgres.errors import translated

COLUMNS = "connection_id, accepted_at, refused_since, refused_at, because, silent_since"


class ArrivalsDesk(Core):
    """Implements `ArrivalsWriter` and `SilenceWriter`; see there for each method's contract."""

    async def report_arrivals(self, arrivals: Sequence[Arrivals]) -> None:
        """Store what is true after these reports, too."""
        ids = [each.connection_id for each in arrivals]
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    await session.execute(EXCLUDE, "webhook_arrivals")
                    saved = await session.fetch("SELECT id FROM connections WHERE id = ANY($1)", ids)
                    rows = await session.fetch(
                        f"SELECT {COLUMNS} FROM webhook_arrivals WHERE connection_id = ANY($1)", ids
                    )
                    known: dict[str, Arrivals | None] = {row["id"]: None for row in saved}
                    known |= {row["connection_id"]: _of(row) for row in rows}
                    for each in arrivals:
                        if each.connection_id in known:
                            known[each.connection_id] = each.after(known[each.connection_id])
                    await session.executemany(
                        f"INSERT INTO webhook_arrivals ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)"
                        " ON CONFLICT (connection_id) DO UPDATE SET accepted_at = excluded.accepted_at,"
                        " refused_since = excluded.refused_since, refused_at = excluded.refused_at,"
                        " because = excluded.because",  # not the silence: the sweep tells that
                        [
                            (
                                each.connection_id,
                                each.accepted_at,
                                each.refused_since,
                                each.refused_at,
                                each.because,
                                each.silent_since,
                            )
                            for each in known.values()
                            if each is not None
                        ],
                    )

    async def arrivals(self) -> Mapping[ConnectionId, Arrivals]:
        """Return what is known, by connection."""
        rows = await self.fetch(f"SELECT {COLUMNS} FROM webhook_arrivals")
        return {ConnectionId(row["connection_id"]): _of(row) for row in rows}

    async def report_silence(self, connection_id: ConnectionId, since: datetime | None) -> None:
        """Store since when something changed without a webhook that told of it."""
        async with self.session() as session:
            with translated():
                await session.execute(
                    "INSERT INTO webhook_arrivals (connection_id, silent_since) SELECT id, $2 FROM connections"
                    " WHERE id = $1 ON CONFLICT (connection_id) DO UPDATE SET silent_since = excluded.silent_since",
                    connection_id,
                    since,
                )


def _of(row: asyncpg.Record) -> Arrivals:
    return Arrivals(
        ConnectionId(row["connection_id"]),
        row["accepted_at"],
        row["refused_since"],
        row["refused_at"],
        row["because"],
        row["silent_since"],
    )
