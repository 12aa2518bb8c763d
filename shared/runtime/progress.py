"""How far a consumer may commit: per partition, everything below the first message that is not at its end.

Used by the consumer only. Pure bookkeeping, without I/O, clock or tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.runtime.log import ReceivedRecord

Partition = tuple[str, int]


@dataclass(eq=False, slots=True)
class Entry:
    """One received record on its way to its end."""

    record: ReceivedRecord
    received_at: float
    """Monotonic seconds."""
    done: bool = False
    superseded: bool = False
    """True once the log has gone back to or behind it: it will be, or was, received again."""


@dataclass(slots=True)
class _Track:
    """One partition since it was last (re)assigned, as far as the offsets tell."""

    entries: deque[Entry] = field(default_factory=deque)
    last_offset: int = -1
    next_offset: int | None = None
    """Commit position: all below are at their end. None: nothing is yet."""
    committed: int | None = None


class Progress:
    """The received records of all partitions, and what of them may be committed."""

    def __init__(self) -> None:
        self._tracks: dict[Partition, _Track] = {}

    def begin(self, record: ReceivedRecord, received_at: float) -> Entry:
        """Take note of a received record.

        A record at or before the last one of its partition means that the partition was given away and came back: what
        was received before and is not at its end yet is superseded, because the log will show it again to whoever owns
        it.
        """
        key = (record.topic, record.partition)
        track = self._tracks.get(key)
        if track is None or record.offset <= track.last_offset:
            for entry in track.entries if track else ():
                entry.superseded = True
            track = self._tracks[key] = _Track()
        entry = Entry(record, received_at)
        track.entries.append(entry)
        track.last_offset = record.offset
        return entry

    def finish(self, entry: Entry) -> None:
        """Mark a record as at its end. One that is superseded moves nothing."""
        entry.done = True
        track = self._tracks[entry.record.topic, entry.record.partition]
        while track.entries and track.entries[0].done:
            track.next_offset = track.entries.popleft().record.offset + 1

    def positions(self) -> dict[Partition, int]:
        """Return the positions that have moved since they were last marked as committed."""
        return {
            key: track.next_offset
            for key, track in self._tracks.items()
            if track.next_offset is not None and track.next_offset != track.committed
        }

    def mark_committed(self, positions: dict[Partition, int]) -> None:
        """Remember that these positions were given to the log."""
        for key, position in positions.items():
            self._tracks[key].committed = position

    def unfinished(self) -> Iterator[Entry]:
        """Iterate over the oldest unfinished record of each partition."""
        return (track.entries[0] for track in self._tracks.values() if track.entries)

    def oldest(self, age_of: Callable[[Entry], float]) -> float:
        """Return the largest age among the oldest unfinished records, 0 if there are none."""
        return max((age_of(entry) for entry in self.unfinished()), default=0.0)
