"""Dry runs in memory: the protocols of `shared.store.dry_runs`; see there for each method's contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

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
from shared.domain.link import Link, LinkState
from shared.store.dry_runs import LinkEnds, TooManyDryRuns
from shared.store.memory.tables import Core


class DryRuns(Core):
    """Implements the protocols of `shared.store.dry_runs` but for `look`."""

    async def open_dry_run(self, dry_run: DryRun, most_open: int) -> None:
        """Store a new dry run, unless too many are under way."""
        holder = await self.autocommit("open_dry_run", "dry_runs")
        try:
            found = sum(not each.state.over for each in self.tables.dry_runs.values())
            if found >= most_open:
                raise TooManyDryRuns(f"{found} dry runs are under way")
            self.tables.dry_runs[dry_run.id] = dry_run
        finally:
            self.locks.release_all(holder)
        await self.done("open_dry_run", holder)

    async def dry_run(self, dry_run_id: DryRunId) -> DryRun | None:
        """Return a dry run."""
        await self.call("dry_run")
        return self.tables.dry_runs.get(dry_run_id)

    async def dry_runs_of(self, integration_id: IntegrationId, limit: int) -> Sequence[DryRun]:
        """Return the dry runs of an integration, newest first."""
        await self.call("dry_runs_of")
        found = [each for each in self.tables.dry_runs.values() if each.integration_id == integration_id]
        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)[:limit]

    async def open_dry_runs(self) -> Sequence[DryRun]:
        """Return all that are not over."""
        await self.call("open_dry_runs")
        found = [each for each in self.tables.dry_runs.values() if not each.state.over]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    async def end_dry_run(self, dry_run_id: DryRunId, state: DryRunState, at: datetime, why: str | None = None) -> bool:
        """End a dry run early."""
        holder = await self.autocommit("end_dry_run", ("dry_run", dry_run_id))
        ended = self._change(dry_run_id, (DryRunState.OPEN, DryRunState.READING), state=state, ended_at=at, why=why)
        await self.done("end_dry_run", holder)
        return ended

    async def plan_dry_run(self, dry_run_id: DryRunId, items: Sequence[DryRunItem], note: str | None) -> bool:
        """Store the chosen items and begin to read."""
        holder = await self.autocommit("plan_dry_run", ("dry_run", dry_run_id))
        begun = self._change(dry_run_id, (DryRunState.OPEN,), state=DryRunState.READING, note=note)
        if begun:
            chosen = {item.n: DryRunItem(n=item.n, jira_id=item.jira_id, craft_id=item.craft_id) for item in items}
            self.tables.dry_run_items[dry_run_id] = chosen
        await self.done("plan_dry_run", holder)
        return begun

    async def claim_dry_run_items(
        self, dry_run_id: DryRunId, now: datetime, again_after: timedelta, most_under_way: int, limit: int
    ) -> Sequence[DryRunItem]:
        """Take items to be read."""
        holder = await self.autocommit("claim_dry_run_items", ("dry_run", dry_run_id))
        items, asked = self.tables.dry_run_items.get(dry_run_id, {}), self.tables.dry_run_asked
        run = self.tables.dry_runs.get(dry_run_id)
        open_items = [n for n, item in sorted(items.items()) if item.forecast is None]
        lately = {n for n in open_items if (at := asked.get((dry_run_id, n))) is not None and at > now - again_after}
        free = max(0, min(limit, most_under_way - len(lately)))
        chosen = [n for n in open_items if n not in lately][:free]
        if run is None or run.state is not DryRunState.READING:
            chosen = []
        for n in chosen:
            items[n] = items[n].model_copy(update={"attempts": items[n].attempts + 1})
            asked[dry_run_id, n] = now
        await self.done("claim_dry_run_items", holder)
        return [items[n] for n in chosen]

    async def answer_dry_run_item(
        self, dry_run_id: DryRunId, n: int, forecast: ItemForecast, names: Sequence[ValueName]
    ) -> bool:
        """Store the answer of an item, once."""
        holder = await self.autocommit("answer_dry_run_item", ("dry_run", dry_run_id))
        run, item = self.tables.dry_runs.get(dry_run_id), self.tables.dry_run_items.get(dry_run_id, {}).get(n)
        taken = run is not None and run.state is DryRunState.READING and item is not None and item.forecast is None
        if taken and item is not None:
            # as JSON gives it back, so that what Postgres could not keep is noticed
            kept = ItemForecast.model_validate_json(forecast.model_dump_json())
            self.tables.dry_run_items[dry_run_id][n] = item.model_copy(update={"forecast": kept})
            known = self.tables.dry_run_names.setdefault(dry_run_id, {})
            for name in names:
                known.setdefault((name.value, name.side, name.pair), name)
        await self.done("answer_dry_run_item", holder)
        return taken

    async def finish_dry_run(self, dry_run_id: DryRunId, at: datetime) -> bool:
        """End a dry run whose items all have answers."""
        holder = await self.autocommit("finish_dry_run", ("dry_run", dry_run_id))
        left = any(item.forecast is None for item in self.tables.dry_run_items.get(dry_run_id, {}).values())
        ended = not left and self._change(
            dry_run_id, (DryRunState.READING,), state=DryRunState.DONE, ended_at=at, why=None
        )
        await self.done("finish_dry_run", holder)
        return ended

    async def remove_dry_runs(self, created_before: datetime) -> int:
        """Remove old dry runs."""
        holder = await self.autocommit("remove_dry_runs")
        tables = self.tables
        old = [ident for ident, each in tables.dry_runs.items() if each.created_at < created_before]
        for ident in old:
            del tables.dry_runs[ident]
            tables.dry_run_items.pop(ident, None)
            tables.dry_run_names.pop(ident, None)
        tables.dry_run_asked = {key: at for key, at in tables.dry_run_asked.items() if key[0] in tables.dry_runs}
        await self.done("remove_dry_runs", holder)
        return len(old)

    async def dry_run_counts(self, dry_run_id: DryRunId) -> DryRunCounts:
        """Count what was found."""
        await self.call("dry_run_counts")
        items = self.tables.dry_run_items.get(dry_run_id, {}).values()
        found = [item.forecast for item in items if item.forecast is not None]
        verdicts: dict[PairId, Counter[Verdict]] = {}
        for forecast in found:
            for each in forecast.fields:
                verdicts.setdefault(each.pair, Counter())[each.verdict] += 1
        return DryRunCounts(
            items=len(items),
            answered=len(found),
            outlooks=dict(Counter(outlook for forecast in found for outlook in forecast.outlooks)),
            verdicts={pair: dict(counted) for pair, counted in verdicts.items()},
        )

    async def dry_run_items(
        self, dry_run_id: DryRunId, outlook: Outlook | None, after: int, limit: int
    ) -> Sequence[DryRunItem]:
        """Return answered items."""
        await self.call("dry_run_items")
        items = sorted(self.tables.dry_run_items.get(dry_run_id, {}).items())
        return [
            item
            for n, item in items
            if n > after and item.forecast is not None and (outlook is None or outlook in item.forecast.outlooks)
        ][:limit]

    async def value_names(self, dry_run_id: DryRunId, values: Collection[str]) -> Sequence[ValueName]:
        """Return the names of values."""
        await self.call("value_names")
        names = self.tables.dry_run_names.get(dry_run_id, {}).values()
        return sorted((n for n in names if n.value in values), key=lambda name: (name.side, name.pair, name.value))

    async def link_ends(
        self, side: Side, connection_id: ConnectionId, entity_ids: Collection[EntityId]
    ) -> Sequence[LinkEnds]:
        """Return the links of entities."""
        await self.call("link_ends")
        found = {self.tables.entities.get((side, connection_id, entity_id)) for entity_id in entity_ids}
        return [_ends(self.tables.links[link_id]) for link_id in sorted(each for each in found if each is not None)]

    async def link_ends_of(self, integration_id: IntegrationId, after: str, limit: int) -> Sequence[LinkEnds]:
        """Return links of an integration."""
        await self.call("link_ends_of")
        found = [
            link
            for link_id, link in sorted(self.tables.links.items())
            if link.integration_id == integration_id and link_id > after and link.state is not LinkState.GONE
        ]
        return [_ends(link) for link in found[:limit]]

    def _change(self, dry_run_id: DryRunId, only: tuple[DryRunState, ...], **changes: object) -> bool:
        """Change a dry run that is in one of these states."""
        run = self.tables.dry_runs.get(dry_run_id)
        if run is None or run.state not in only:
            return False
        self.tables.dry_runs[dry_run_id] = run.model_copy(update=changes)
        return True


def _ends(link: Link) -> LinkEnds:
    return LinkEnds(link.id, link.integration_id, link.jira_id, link.craft_id, link.jira.mark, link.craft.mark)
