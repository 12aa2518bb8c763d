"""What the services ask of the store for dry runs, and a way to look at links without touching them.

Who owns which fact: the console opens and cancels dry runs, the reconciler chooses the items and ends them, an answer
is stored once by whoever has it first (the mapper, or the reconciler when an item cannot be read). Every method is one
short transaction of its own and raises `StoreUnavailable` when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.dry_run import (
    DryRun,
    DryRunCounts,
    DryRunId,
    DryRunItem,
    DryRunState,
    ItemForecast,
    Outlook,
    ValueName,
)
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.store.port import LinkTransaction


class TooManyDryRuns(Exception):
    """As many dry runs are under way as may be."""


@dataclass(frozen=True, slots=True)
class LinkEnds:
    """The two ends of a link, with the marks that are the tickets of fresh reads."""

    link_id: LinkId
    integration_id: IntegrationId
    jira_id: EntityId | None
    craft_id: EntityId | None
    jira_mark: int
    craft_mark: int

    def entity_id(self, side: Side) -> EntityId | None:
        """Return the vendor's id on one side."""
        return self.jira_id if side is Side.JIRA else self.craft_id

    def mark(self, side: Side) -> int:
        """Return the mark of one side."""
        return self.jira_mark if side is Side.JIRA else self.craft_mark


class LookingStore(Protocol):
    """Shows links as the mapper sees them, for those who must not change them."""

    def look(self) -> AbstractAsyncContextManager[LinkTransaction]:
        """Begin a transaction that only reads. It locks nothing, so it neither waits for nor holds up anybody.

        Each read shows what is committed at that moment. What changes anything raises `InvariantBroken`; on Postgres
        the database itself would refuse it too. Loaded links are the caller's own copies, the same at each call.
        """
        ...


class DryRunReader(Protocol):
    """One dry run."""

    async def dry_run(self, dry_run_id: DryRunId) -> DryRun | None:
        """Return a dry run as it stands, None if there is none (any more)."""
        ...


class DryRunCounter(Protocol):
    """How far a dry run is."""

    async def dry_run_counts(self, dry_run_id: DryRunId) -> DryRunCounts:
        """Return how many items are answered, and what was found by outlook and by pair."""
        ...


class DryRunAnswers(DryRunReader, Protocol):
    """Storing what became of an item."""

    async def answer_dry_run_item(
        self, dry_run_id: DryRunId, n: int, forecast: ItemForecast, names: Sequence[ValueName]
    ) -> bool:
        """Store the answer of an item and the names that its values go by. False, and no change, if it has one
        already or the dry run is not being read (any more).
        """
        ...


class DryRunEnd(Protocol):
    """Ending a dry run early."""

    async def end_dry_run(self, dry_run_id: DryRunId, state: DryRunState, at: datetime, why: str | None = None) -> bool:
        """End a dry run that is not over yet. False, and no change, if it is over, or not there."""
        ...


class DryRunDesk(DryRunReader, DryRunCounter, DryRunEnd, Protocol):
    """What the console asks and shows."""

    async def open_dry_run(self, dry_run: DryRun, most_open: int) -> None:
        """Store a new dry run. Raises `TooManyDryRuns` if that many are not over yet."""
        ...

    async def dry_runs_of(self, integration_id: IntegrationId, limit: int) -> Sequence[DryRun]:
        """Return the dry runs of an integration, the newest first."""
        ...

    async def dry_run_items(
        self, dry_run_id: DryRunId, outlook: Outlook | None, after: int, limit: int
    ) -> Sequence[DryRunItem]:
        """Return answered items with numbers above `after`, in order; those with one outlook, if it is named."""
        ...

    async def value_names(self, dry_run_id: DryRunId, values: Collection[str]) -> Sequence[ValueName]:
        """Return the names of these values, as far as any item of the dry run showed them."""
        ...


class DryRunWork(DryRunAnswers, DryRunCounter, DryRunEnd, Protocol):
    """How the reconciler finds dry runs by state and carries them on."""

    async def open_dry_runs(self) -> Sequence[DryRun]:
        """Return all that are not over, oldest first."""
        ...

    async def plan_dry_run(self, dry_run_id: DryRunId, items: Sequence[DryRunItem], note: str | None) -> bool:
        """Store the chosen items and begin to read. False, and no change, if it is not open (any more)."""
        ...

    async def claim_dry_run_items(
        self, dry_run_id: DryRunId, now: datetime, again_after: timedelta, most_under_way: int, limit: int
    ) -> Sequence[DryRunItem]:
        """Take items that have no answer and were not taken for `again_after`; each taking is an attempt.

        At most `limit`, and no more than keep those without answer that were taken lately at `most_under_way`. Two
        callers at once get different items.
        """
        ...

    async def finish_dry_run(self, dry_run_id: DryRunId, at: datetime) -> bool:
        """End a dry run as done if all its items have answers. False, and no change, if not, or if it is over."""
        ...

    async def remove_dry_runs(self, created_before: datetime) -> int:
        """Remove dry runs that are older, with all that belongs to them; return how many."""
        ...

    async def link_ends(
        self, side: Side, connection_id: ConnectionId, entity_ids: Collection[EntityId]
    ) -> Sequence[LinkEnds]:
        """Return the links of these entities, whatever their state."""
        ...

    async def link_ends_of(self, integration_id: IntegrationId, after: str, limit: int) -> Sequence[LinkEnds]:
        """Return links of an integration with ids after `after`, in bytewise id order; links that are gone not."""
        ...
