"""What Tandem believed and when: the bases, and what it had seen, of each link as its transactions left them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from shared.domain.ids import EntityId, LinkId, PairId, Side
from shared.domain.link import Absence, Agreed, Json, Link, PairSide

Place = tuple[LinkId, Side, PairId]


class Witness(dict[LinkId, Link]):
    """The table of links in memory, which remembers every base and every seen value that was ever saved."""

    def __init__(self) -> None:
        super().__init__()
        self._bases: dict[Place, list[tuple[float, Agreed | None]]] = {}
        self._seen: dict[Place, list[tuple[float, Json]]] = {}
        self.deleted: set[tuple[Side, EntityId]] = set()
        """What was ever taken for deleted."""

    def __setitem__(self, link_id: LinkId, link: Link) -> None:
        """Save a link."""
        super().__setitem__(link_id, link)
        now = asyncio.get_running_loop().time()
        for side in Side:
            absent, entity = link.side(side).absent, link.entity_id(side)
            if entity is not None and absent is not None and absent.how is Absence.DELETED:
                self.deleted.add((side, entity))
            for pair_id, record in link.side(side).pairs.items():
                self._note((link_id, side, pair_id), record, now)

    def _note(self, place: Place, record: PairSide, now: float) -> None:
        bases = self._bases.setdefault(place, [])
        if not bases or bases[-1][1] != record.base:
            bases.append((now, record.base))
        if record.seen is not None:
            seen = self._seen.setdefault(place, [])
            if not seen or seen[-1][1] != record.seen.value:
                seen.append((now, record.seen.value))

    def base(self, place: Place, before_s: float) -> tuple[float, Agreed | None]:
        """Return the base of one side of a pair as it was just before a time, and since when."""
        known = self._bases.get(place, [])
        return next((each for each in reversed(known) if each[0] < before_s), (0.0, None))

    def seen(self, place: Place, since_s: float, until_s: float) -> Iterator[Json]:
        """Yield what Tandem came to see of one side of a pair between two times."""
        for at_s, value in self._seen.get(place, []):
            if since_s <= at_s <= until_s:
                yield value
