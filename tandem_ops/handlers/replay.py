"""Replay a topic: read what was chosen from the log, put copies on the topics where they are handled, tell how far it
is.

Its position is kept in the log (consumer group `replay`) after each lot that was acknowledged: broken off and started
with `resume`, it goes on there; at most the last lot is told twice, which changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from shared.domain.clock import Clock
from shared.runtime.log import Record
from tandem_ops.domain.replay import Choice, Kept, Partition, Place, Recorded, Why, again

LOT: Final = 200


class Recording(Protocol):
    """The log as something to read again. All raise `LogUnavailable`."""

    async def kept(self, topics: Sequence[str]) -> Mapping[Partition, Kept]:
        """Return what all partitions of these topics have."""
        ...

    async def at(self, time: datetime, partitions: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
        """Return the offset of the first record that was written at a time or later, else the end."""
        ...

    async def stopped_at(self, partitions: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
        """Return up to where partitions were replayed last; those that never were are not in it."""
        ...

    def read(self, spans: Mapping[Partition, Kept], lot: int) -> AsyncIterator[Sequence[Recorded]]:
        """Return what lies within these spans, in lots, in order within a partition."""
        ...

    async def put(self, records: Sequence[Record]) -> None:
        """Append copies and return once they are acknowledged."""
        ...

    async def keep_position(self, positions: Mapping[Partition, int]) -> None:
        """Note up to where partitions have been replayed."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be replayed. `start` None: from where the last one of these partitions stopped."""

    topics: Sequence[str]
    start: Place | None
    end: Place | None
    choice: Choice
    dry: bool
    per_s: float
    """How many copies are put on topics in a second at most."""


@dataclass(slots=True)
class Told:
    """How far a replay is."""

    records: int = 0
    of: int = 0
    copies: Counter[str] = field(default_factory=Counter)
    """By the topic that they went to."""
    left: Counter[Why] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    """When the first and last records were written that are replayed."""


async def replay(order: Order, recording: Recording, clock: Clock, tell: Callable[[Told], None]) -> Told:
    """Carry an order out; `tell` hears of each lot. Raises `LogUnavailable`; what was told until then is noted."""
    kept = await recording.kept(order.topics)
    spans = await _spans(order, recording, kept)
    told = Told(of=sum(span.end - span.first for span in spans.values()))
    kept_from = {partition: each.first for partition, each in kept.items()}
    async for lot in recording.read(spans, LOT):
        copies = _sort(lot, order.choice, kept_from, told)
        if not order.dry:
            if copies:
                await recording.put(copies)
            await recording.keep_position({(r.record.topic, r.record.partition): r.record.offset + 1 for r in lot})
        tell(told)
        if copies and not order.dry:
            await clock.sleep(len(copies) / order.per_s)
    return told


async def _spans(order: Order, recording: Recording, kept: Mapping[Partition, Kept]) -> dict[Partition, Kept]:
    """Return what is to be read, within what is still there."""
    starts = {partition: each.first for partition, each in kept.items()}
    starts |= await recording.stopped_at(kept) if order.start is None else await _placed(order.start, recording, kept)
    ends = {partition: each.end for partition, each in kept.items()}
    if order.end is not None:
        ends |= await _placed(order.end, recording, kept)
    spans = {
        partition: Kept(max(each.first, starts[partition]), min(each.end, ends[partition]))
        for partition, each in kept.items()
    }
    return {partition: span for partition, span in spans.items() if span.first < span.end}


async def _placed(place: Place, recording: Recording, kept: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
    if place.time is not None:
        return await recording.at(place.time, kept)
    return dict.fromkeys(kept, place.offset or 0)


def _sort(lot: Sequence[Recorded], choice: Choice, kept_from: Mapping[Partition, int], told: Told) -> list[Record]:
    copies: list[Record] = []
    for one in lot:
        told.records += 1
        made = again(one.record, choice, kept_from)
        if isinstance(made, str):
            told.left[made] += 1
            continue
        copies.append(made)
        told.copies[made.topic] += 1
        told.first = min(told.first or one.at, one.at)
        told.last = max(told.last or one.at, one.at)
    return copies
