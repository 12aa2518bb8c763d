"""Planted bugs: each leaves out one rule of PROTOCOL. The simulation has to find every one of them.

`docs/simulation.md` lists which seed found which. Those of the mapper's core are in `tests.simulation.bugs_core`.
"""

# ruff: noqa: ARG001, ARG005 - what is planted has the signature of what it replaces

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from services.mapper.domain.requests import resync
from services.mapper.handlers import changes
from services.mapper.handlers.requests import Requests
from services.reconciler.domain import feed
from services.reconciler.handlers.clocks import Clocks
from services.reconciler.handlers.feed import Feed
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link, LinkState, OperationKind, Result
from shared.domain.mapping import Integration
from shared.fakes.log import MemoryLog
from shared.messages.base import Message
from shared.messages.request import SyncRequest
from shared.messages.write import WriteOutcome
from shared.runtime.log import ReceivedRecord, Record
from shared.runtime.topics import Topic
from shared.store.memory.batch import MemoryBatch
from shared.store.memory.transaction import MemoryTransaction
from shared.store.memory.work import Work
from shared.store.port import Name
from shared.writing import creation, update, writer
from shared.writing.attempt import Attempt
from shared.writing.compare import Comparison
from tests.simulation.bugs_core import CORE_BUGS, f11
from tests.simulation.planting import Bug, Replacement, planted_in
from tests.simulation.process import CURRENT

Planted = list[Replacement]


def _f1() -> Planted:
    return [(changes, "is_by_us", lambda event, connection: False)]


async def _insert_regardless(self: MemoryTransaction, link: Link) -> bool:
    await self._call("insert")
    self._locked[link.id] = link
    await self._stage(link)
    return True


def _without_row(*states: LinkState) -> Planted:
    """Act as if links in these states had no row yet, or none any more."""
    original = MemoryTransaction.lock_entity

    async def lock_entity(
        self: MemoryTransaction, side: Side, connection_id: ConnectionId, entity_id: EntityId
    ) -> Link | None:
        link = await original(self, side, connection_id, entity_id)
        return None if link is not None and link.state in states else link

    return [(MemoryTransaction, "lock_entity", lock_entity), (MemoryTransaction, "insert", _insert_regardless)]


def _f4i() -> Planted:
    def compare(side: Side, writes: Any, snapshot: Any) -> Comparison:
        return Comparison((), dict(writes), ())

    return [(update, "compare", compare)]


def _f7() -> Planted:
    """Link what a person names, whatever row an entity is in."""

    async def link(self: Requests, tx: MemoryTransaction, request: SyncRequest) -> list[Message]:
        integration = await tx.integration(request.integration_id or IntegrationId(""))
        assert integration is not None
        assert request.jira_id is not None
        assert request.craft_id is not None
        items = {Side.JIRA: request.jira_id, Side.CRAFT: request.craft_id}
        made = self._successors.made(integration, items, state=LinkState.ACTIVE)
        ctx = await self._conclusion.context(tx, made)
        assert ctx is not None
        resync(made, ctx)
        await _insert_regardless(tx, made)
        return await self._conclusion.publishable(tx, made, ctx, None)

    return [(Requests, "_link", link)]


def _f8() -> Planted:
    async def post_again(attempt: Attempt, hands: Any, dice: Any, post_started_at: datetime) -> WriteOutcome | None:
        margin = timedelta(seconds=60)
        found = await hands.look_up(attempt.claim, post_started_at - margin, post_started_at + margin)
        if found.exact:
            return attempt.outcome(Result.ALREADY, entity_id=found.exact[0])
        return await creation._post(attempt, hands, dice)

    return [(creation, "_after_lost_answer", post_again)]


def _f9() -> Planted:
    async def nothing(self: Clocks) -> int:
        return 0

    return [(Clocks, "repeat_commands", nothing)]


def _f9_batch() -> Planted:
    """A batch loads the links of its inputs without locking them."""

    async def foresee(self: MemoryBatch, names: Collection[Name]) -> set[Name]:
        await self._call("foresee")
        for name in sorted(names, key=str):
            link_id = self._link_of(name) if isinstance(name, tuple) else name
            if link_id is not None and link_id in self._tables.links:
                self._locked[link_id] = self._tables.load(self._tables.links[link_id], self._core.clock.now())
        return set()

    return [(MemoryBatch, "foresee", foresee)]


def _f10() -> Planted:
    """Outcomes share a compacted topic with statuses, and only what was never claimed is produced again."""
    publish, stale, wipe = MemoryLog.publish, Work.stale_operations, f"{Topic.OUTCOMES}"

    async def compacting(self: MemoryLog, records: Any) -> None:
        for record in records:
            if str(record.topic).endswith((str(Topic.STATUS), str(Topic.OUTCOMES))):
                _compact(self, record)
        await publish(self, records)

    async def only_unclaimed(self: Work, now: datetime, unclaimed_for: timedelta, limit: int) -> Any:
        return [found for found in await stale(self, now, unclaimed_for, limit) if found.operation.attempts == 0]

    def _compact(log: MemoryLog, record: Record) -> None:
        committed = log.committed("mapper")
        for place, stored in log._partitions.items():
            if not place[0].endswith(wipe):
                continue
            for number in range(committed.get(place, 0), len(stored)):
                old = stored[number]
                if old.key == record.key:
                    stored[number] = ReceivedRecord(old.topic, old.partition, old.offset, f"gone{number}", b"{}", {})

    return [(MemoryLog, "publish", compacting), (Work, "stale_operations", only_unclaimed)]


def _f12() -> Planted:
    original = writer.Writer._carry_out

    async def carry_out(self: writer.Writer, attempt: Attempt) -> Any:
        outcome, result, words = await original(self, attempt)
        if result == "unclear" and attempt.operation.kind is not OperationKind.CREATE:
            return attempt.deferred("failed", 2.0), "deferred", words
        return outcome, result, words

    return [(writer.Writer, "_carry_out", carry_out)]


def _f13_dedupe() -> Planted:
    def of(reading: Any) -> feed.Seen:
        return feed.Seen(reading.entity_id, reading.updated, "")

    return [(feed.Seen, "of", staticmethod(of))]


def _f16_cached() -> Planted:
    """One of the mappers keeps the revision that it saw first, and writers write what it decided."""
    original = MemoryTransaction.integration
    known: dict[str, Integration] = {}

    async def integration(self: MemoryTransaction, integration_id: IntegrationId) -> Integration | None:
        current = await original(self, integration_id)
        process = CURRENT.get()
        if current is None or process is None or process.name != "mapper-2":
            return current
        return known.setdefault(process.ident, current)

    return [(MemoryTransaction, "integration", integration), (Attempt, "superseded", property(lambda self: False))]


def _f21() -> Planted:
    async def nobody(self: MemoryTransaction, connection_id: Any, parent_id: Any, origin: Any) -> list[LinkId]:
        return []

    original = Work._due

    def due(self: Work, link: Link, now: datetime, long_ago: datetime, looked_at: datetime) -> bool:
        return link.state is not LinkState.WAITING and original(self, link, now, long_ago, looked_at)

    return [(MemoryTransaction, "waiting_children", nobody), (Work, "_due", due)]


def _f22_cursor() -> Planted:
    """The cursor is the newest `updated` seen, and windows do not overlap."""

    def next_cursor(self: feed.Window) -> datetime:
        times = [seen.updated for seen in self._states.values() if seen.updated is not None]
        return max([*times, self._cursor])

    return [(feed.Window, "next_cursor", next_cursor), *_overlap(0.0)]


def _f22_overlap() -> Planted:
    return _overlap(0.0)


def _overlap(overlap_s: float) -> Planted:
    original = Feed.__init__

    def init(self: Feed, *args: Any, **named: Any) -> None:
        original(self, *args, **{**named, "overlap_s": overlap_s})

    return [(Feed, "__init__", init)]


def _f22_pages() -> Planted:
    """The cursor moves on although the list moved while its pages were turned; windows overlap by the lag only."""

    def next_cursor(self: feed.Window) -> datetime:
        return self._started or self._cursor

    return [(feed.Window, "next_cursor", next_cursor), *_overlap(1.0)]


BUGS: dict[str, Bug] = {
    "F1": Bug("an entity of our own making is taken for a person's", _f1),
    "F2": Bug("a link that is being created is not found", lambda: _without_row(LinkState.CREATING, LinkState.WAITING)),
    "F4i": Bug("the writer does not look whether the target still shows what was expected", _f4i),
    "F7": Bug("items are linked although a create is open", _f7),
    "F8": Bug("a create whose answer was lost is sent again as soon as a search does not show it", _f8),
    "F9": Bug("no clock produces open operations again", _f9),
    "F9batch": Bug("a batch decides on links that another one decides on at the same time", _f9_batch),
    "F10": Bug("outcomes may be compacted away, and claimed operations are not produced again", _f10),
    "F11": Bug(
        "a late effect of ours is taken for a person's edit, where no answer counts as no effect",
        # A write without an answer stays open, so that hardly anything of it is late: that rule is left out as well.
        lambda: [*_f12(), *f11()],
    ),
    "F12": Bug("no answer counts as no effect", _f12),
    "F13dedupe": Bug("the feed takes equal times for equal states", _f13_dedupe),
    "F16cached": Bug("a mapper keeps an old revision, and what it decides is written", _f16_cached),
    "F20": Bug(
        "a link that is kept apart or gone has no row any more",
        lambda: _without_row(LinkState.UNSYNCED, LinkState.GONE),
    ),
    "F21": Bug("nobody wakes a child whose parent was linked", _f21),
    "F22cursor": Bug("the feed goes on from the newest time it saw", _f22_cursor),
    "F22overlap": Bug("the windows of the feed do not overlap", _f22_overlap),
    "F22pages": Bug("the feed goes on although its pages moved", _f22_pages),
    **CORE_BUGS,
}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Run with a bug planted; None: as it is."""
    with planted_in(BUGS, name):
        yield
