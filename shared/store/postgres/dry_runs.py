"""Dry runs on Postgres: the protocols of `shared.store.dry_runs`; see there for each method's contract."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.dry_run import (
    DryRun,
    DryRunCounts,
    DryRunId,
    DryRunItem,
    DryRunState,
    ItemForecast,
    Outlook,
    ValueName,
    Verdict,
)
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, PairId, Side
from shared.store.codec import dumps
from shared.store.dry_runs import LinkEnds, TooManyDryRuns
from shared.store.postgres.config import EXCLUDE
from shared.store.postgres.core import Core
from shared.store.postgres.errors import translated

if TYPE_CHECKING:
    import asyncpg

_RUN = "id, state, ended_at, note, why, body"
_OPEN = "state IN ('open', 'reading')"
_ENDS = "id, integration_id, jira_id, craft_id, jira_mark, craft_mark"

CLAIM = """
WITH chosen AS (
    SELECT i.n FROM dry_run_items i JOIN dry_runs d ON d.id = i.dry_run_id
    WHERE i.dry_run_id = $1 AND d.state = 'reading' AND NOT i.answered
        AND (i.asked_at IS NULL OR i.asked_at <= $3)
    ORDER BY i.n
    LIMIT greatest(0, least($5, $4 - (SELECT count(*) FROM dry_run_items
        WHERE dry_run_id = $1 AND NOT answered AND asked_at > $3)))
    FOR UPDATE OF i SKIP LOCKED
)
UPDATE dry_run_items i SET attempts = i.attempts + 1, asked_at = $2 FROM chosen
WHERE i.dry_run_id = $1 AND i.n = chosen.n RETURNING i.n, i.jira_id, i.craft_id, i.attempts, i.body
"""

# The share lock keeps the dry run from ending between the look at its state and the answer.
ANSWER = """
WITH reading AS (SELECT id FROM dry_runs WHERE id = $1 AND state = 'reading' FOR SHARE), answered AS (
    UPDATE dry_run_items i SET answered = true, outlooks = $3, verdicts = $4, body = $5 FROM reading
    WHERE i.dry_run_id = reading.id AND i.n = $2 AND NOT i.answered RETURNING i.dry_run_id
), named AS (
    INSERT INTO dry_run_names (dry_run_id, side, pair, value, name)
    SELECT answered.dry_run_id, x.side, x.pair, x.value, x.name
    FROM json_to_recordset($6::json) AS x(side text, pair text, value text, name text), answered
    ON CONFLICT DO NOTHING
)
SELECT dry_run_id FROM answered
"""


class DryRuns(Core):
    """Implements the protocols of `shared.store.dry_runs` but for `look`."""

    async def open_dry_run(self, dry_run: DryRun, most_open: int) -> None:
        """Store a new dry run, unless too many are under way."""
        async with self.session() as session:
            with translated():
                async with session.transaction():
                    await session.execute(EXCLUDE, "dry_runs")
                    found = await session.fetchval(f"SELECT count(*) FROM dry_runs WHERE {_OPEN}")
                    if found >= most_open:
                        raise TooManyDryRuns(f"{found} dry runs are under way")
                    await session.execute(
                        "INSERT INTO dry_runs (id, integration_id, state, created_at, body)"
                        " VALUES ($1, $2, $3, $4, $5)",
                        dry_run.id,
                        dry_run.integration_id,
                        dry_run.state,
                        dry_run.created_at,
                        dry_run.model_dump_json(),
                    )

    async def dry_run(self, dry_run_id: DryRunId) -> DryRun | None:
        """Return a dry run."""
        row = await self.fetchrow(f"SELECT {_RUN} FROM dry_runs WHERE id = $1", dry_run_id)
        return _run_of(row) if row else None

    async def dry_runs_of(self, integration_id: IntegrationId, limit: int) -> Sequence[DryRun]:
        """Return the dry runs of an integration, newest first."""
        rows = await self.fetch(
            f"SELECT {_RUN} FROM dry_runs WHERE integration_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
            integration_id,
            limit,
        )
        return [_run_of(row) for row in rows]

    async def open_dry_runs(self) -> Sequence[DryRun]:
        """Return all that are not over."""
        return [
            _run_of(row)
            for row in await self.fetch(f"SELECT {_RUN} FROM dry_runs WHERE {_OPEN} ORDER BY created_at, id")
        ]

    async def end_dry_run(self, dry_run_id: DryRunId, state: DryRunState, at: datetime, why: str | None = None) -> bool:
        """End a dry run early."""
        query = f"UPDATE dry_runs SET state = $2, ended_at = $3, why = $4 WHERE id = $1 AND {_OPEN} RETURNING id"
        return await self.fetchrow(query, dry_run_id, state, at, why) is not None

    async def plan_dry_run(self, dry_run_id: DryRunId, items: Sequence[DryRunItem], note: str | None) -> bool:
        """Store the chosen items and begin to read."""
        chosen = [{"n": item.n, "jira_id": item.jira_id, "craft_id": item.craft_id} for item in items]
        row = await self.fetchrow(
            "WITH begun AS (UPDATE dry_runs SET state = 'reading', note = $2 WHERE id = $1 AND state = 'open'"
            " RETURNING id), chosen AS (INSERT INTO dry_run_items (dry_run_id, n, jira_id, craft_id)"
            " SELECT begun.id, x.n, x.jira_id, x.craft_id"
            " FROM json_to_recordset($3::json) AS x(n integer, jira_id text, craft_id text), begun)"
            " SELECT id FROM begun",
            dry_run_id,
            note,
            dumps(chosen),
        )
        return row is not None

    async def claim_dry_run_items(
        self, dry_run_id: DryRunId, now: datetime, again_after: timedelta, most_under_way: int, limit: int
    ) -> Sequence[DryRunItem]:
        """Take items to be read."""
        rows = await self.fetch(CLAIM, dry_run_id, now, now - again_after, most_under_way, limit)
        return sorted(map(_item_of, rows), key=lambda item: item.n)

    async def answer_dry_run_item(
        self, dry_run_id: DryRunId, n: int, forecast: ItemForecast, names: Sequence[ValueName]
    ) -> bool:
        """Store the answer of an item, once."""
        row = await self.fetchrow(
            ANSWER,
            dry_run_id,
            n,
            list(forecast.outlooks),
            [f"{field.verdict}:{field.pair}" for field in forecast.fields],
            forecast.model_dump_json(),
            dumps([name.model_dump(mode="json") for name in names]),
        )
        return row is not None

    async def finish_dry_run(self, dry_run_id: DryRunId, at: datetime) -> bool:
        """End a dry run whose items all have answers."""
        row = await self.fetchrow(
            "UPDATE dry_runs SET state = 'done', ended_at = $2 WHERE id = $1 AND state = 'reading' AND NOT EXISTS ("
            " SELECT FROM dry_run_items WHERE dry_run_id = $1 AND NOT answered) RETURNING id",
            dry_run_id,
            at,
        )
        return row is not None

    async def remove_dry_runs(self, created_before: datetime) -> int:
        """Remove old dry runs."""
        return len(await self.fetch("DELETE FROM dry_runs WHERE created_at < $1 RETURNING id", created_before))

    async def dry_run_counts(self, dry_run_id: DryRunId) -> DryRunCounts:
        """Count what was found."""
        row = await self.fetchrow(
            "SELECT count(*) AS items, count(*) FILTER (WHERE answered) AS answered FROM dry_run_items"
            " WHERE dry_run_id = $1",
            dry_run_id,
        )
        outlooks, verdicts = [
            await self.fetch(
                f"SELECT x AS what, count(*) AS n FROM dry_run_items, unnest({column}) AS x"
                " WHERE dry_run_id = $1 GROUP BY x ORDER BY x",
                dry_run_id,
            )
            for column in ("outlooks", "verdicts")
        ]
        by_pair: dict[PairId, dict[Verdict, int]] = {}
        for found in verdicts:
            verdict, _, pair = found["what"].partition(":")
            by_pair.setdefault(PairId(pair), {})[Verdict(verdict)] = found["n"]
        return DryRunCounts(
            items=row["items"] if row else 0,
            answered=row["answered"] if row else 0,
            outlooks={Outlook(found["what"]): found["n"] for found in outlooks},
            verdicts=by_pair,
        )

    async def dry_run_items(
        self, dry_run_id: DryRunId, outlook: Outlook | None, after: int, limit: int
    ) -> Sequence[DryRunItem]:
        """Return answered items."""
        rows = await self.fetch(
            "SELECT n, jira_id, craft_id, attempts, body FROM dry_run_items WHERE dry_run_id = $1 AND answered"
            " AND n > $2 AND ($3::text IS NULL OR $3 = ANY (outlooks)) ORDER BY n LIMIT $4",
            dry_run_id,
            after,
            outlook,
            limit,
        )
        return [_item_of(row) for row in rows]

    async def value_names(self, dry_run_id: DryRunId, values: Collection[str]) -> Sequence[ValueName]:
        """Return the names of values."""
        rows = await self.fetch(
            "SELECT side, pair, value, name FROM dry_run_names WHERE dry_run_id = $1 AND value = ANY ($2)"
            ' ORDER BY side COLLATE "C", pair COLLATE "C", value',
            dry_run_id,
            list(values),
        )
        return [ValueName(**dict(row)) for row in rows]

    async def link_ends(
        self, side: Side, connection_id: ConnectionId, entity_ids: Collection[EntityId]
    ) -> Sequence[LinkEnds]:
        """Return the links of entities."""
        query = f"SELECT {_ENDS} FROM links WHERE {side}_connection = $1 AND {side}_id = ANY ($2) ORDER BY id"
        return [LinkEnds(*row) for row in await self.fetch(query, connection_id, list(entity_ids))]

    async def link_ends_of(self, integration_id: IntegrationId, after: str, limit: int) -> Sequence[LinkEnds]:
        """Return links of an integration."""
        query = (
            f"SELECT {_ENDS} FROM links WHERE integration_id = $1 AND id > $2 AND state <> 'gone' ORDER BY id LIMIT $3"
        )
        return [LinkEnds(*row) for row in await self.fetch(query, integration_id, after, limit)]


def _run_of(row: asyncpg.Record) -> DryRun:
    changes = {name: row[name] for name in ("ended_at", "note", "why")}
    return DryRun.model_validate_json(row["body"]).model_copy(update={**changes, "state": DryRunState(row["state"])})


def _item_of(row: asyncpg.Record) -> DryRunItem:
    return DryRunItem(
        n=row["n"],
        jira_id=row["jira_id"],
        craft_id=row["craft_id"],
        attempts=row["attempts"],
        forecast=ItemForecast.model_validate_json(row["body"]) if row["body"] else None,
    )
