"""The items of the stand-in of Craft.io, and what its lists already show of them.

Used by `sandbox.craft.item_api`. Knows time only as it is told, and nothing of HTTP.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.craft.model import ItemRecord
from shared.domain.clock import Dice

_ALWAYS = datetime.min.replace(tzinfo=UTC)


class ItemStore:
    """Current items by id, and per item the versions that lists may still show.

    A write shows in lists after a lag of its own, drawn between 0 and the longest lag; until then the version before it
    does (nothing, for a new item). A deleted item stays listed for its lag in the same way.
    """

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._current: dict[str, ItemRecord] = {}
        self._versions: dict[str, list[tuple[datetime, ItemRecord | None]]] = {}

    def get(self, item_id: str) -> ItemRecord | None:
        """Return an item as it is now."""
        return self._current.get(item_id)

    def all(self) -> list[ItemRecord]:
        """Return all items as they are now, in the order of their creation."""
        return list(self._current.values())

    def children(self, item_id: str) -> list[ItemRecord]:
        """Return the items whose parent this is."""
        return [record for record in self._current.values() if record.parent_id == item_id]

    def put(self, record: ItemRecord, *, now: datetime, longest_lag: timedelta) -> None:
        """Store a new version of an item."""
        self._current[record.id] = record
        self._add_version(record.id, record, now, longest_lag)

    def delete(self, item_id: str, *, now: datetime, longest_lag: timedelta) -> None:
        """Delete an item. Raises KeyError when it is not there."""
        del self._current[item_id]
        self._add_version(item_id, None, now, longest_lag)

    def _add_version(self, item_id: str, record: ItemRecord | None, now: datetime, longest_lag: timedelta) -> None:
        if longest_lag:
            shows_at = now + longest_lag * self._dice.uniform(0, 1)
            self._versions.setdefault(item_id, []).append((shows_at, record))
        elif record is None:
            self._versions.pop(item_id, None)
        else:
            self._versions[item_id] = [(_ALWAYS, record)]

    def listed(self, now: datetime) -> list[ItemRecord]:
        """Return what lists show now: of each item the newest version that is visible."""
        shown: list[ItemRecord] = []
        for item_id, versions in list(self._versions.items()):
            for at in range(len(versions) - 1, -1, -1):
                if versions[at][0] <= now:
                    del versions[:at]
                    versions[0] = (_ALWAYS, versions[0][1])
                    record = versions[0][1]
                    if record is not None:
                        shown.append(record)
                    elif len(versions) == 1:
                        del self._versions[item_id]
                    break
        return shown
