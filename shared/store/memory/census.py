"""The census in memory. Called through `shared.store.census.CensusStore`; see there for each method's contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain.ids import ConnectionId, Side
from shared.messages.status import SyncStatus
from shared.store.census import Census, ItemCount, Waiting
from shared.store.memory.tables import Core

Key = TypeVar("Key")


class CensusDesk(Core):
    """Implements `CensusStore`."""

    async def lead(self, owner: str, lease: timedelta) -> bool:
        """Take or keep the lead."""
        await self.call("lead")
        now, held = self.clock.now(), self.tables.lead
        if held is not None and held[0] != owner and held[1] > now:
            return False
        self.tables.lead = (owner, now + lease)
        return True

    async def resign(self, owner: str) -> None:
        """Give the lead back."""
        await self.call("resign")
        if self.tables.lead is not None and self.tables.lead[0] == owner:
            self.tables.lead = None

    async def census(self) -> Census:
        """Return all figures."""
        await self.call("census")
        tables = self.tables
        links = tables.links.values()
        put_off = [link for link in links if link.not_before is not None]
        opened = [tables.operations[op_id] for op_id in tables.open_operations]
        conflicts: Counter[str] = Counter()
        for link in links:
            conflicts[link.integration_id] += len(link.open_conflicts)
        return Census(
            items=self._items(),
            open_operations=_waiting((op.target, op.created_at) for op in opened),
            put_off=_waiting((link.integration_id, tables.behind_since.get(link.id)) for link in put_off),
            parked=_waiting((key[1], parked.since) for key, parked in tables.parked.items()),
            fresh_reads=_waiting(self._unread()),
            conflicts={link.integration_id: n for link in links if (n := conflicts[link.integration_id])},
            strays=Counter(key[0] for key in tables.strays),
            dry_runs=Counter(str(run.state) for run in tables.dry_runs.values()),
        )

    def _items(self) -> list[ItemCount]:
        found: dict[tuple[str, str, str], list[SyncStatus]] = {}
        for status in self.tables.statuses.values():
            found.setdefault((status.integration_id, status.state, status.cause), []).append(status)
        behind = self.tables.behind_since
        return [
            ItemCount(
                alike[0].integration_id,
                alike[0].state,
                alike[0].cause,
                len(alike),
                min((behind[each.link_id] for each in alike if each.link_id in behind), default=None),
            )
            for _, alike in sorted(found.items())
        ]

    def _unread(self) -> Iterable[tuple[ConnectionId, datetime | None]]:
        for link in self.tables.links.values():
            for side in Side:
                if link.side(side).dirty:
                    yield link.connection(side), link.side(side).dirty_since


def _waiting(found: Iterable[tuple[Key, datetime | None]]) -> Mapping[Key, Waiting]:
    by_key: dict[Key, list[datetime | None]] = {}
    for key, since in found:
        by_key.setdefault(key, []).append(since)
    return {
        key: Waiting(len(times), min((at for at in times if at is not None), default=None))
        for key, times in by_key.items()
    }
