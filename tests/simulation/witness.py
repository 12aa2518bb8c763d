"""What Tandem held to be agreed on, and when: the bases of each link as its transactions left them."""

from __future__ import annotations

import asyncio

from shared.domain.ids import LinkId, PairId, Side
from shared.domain.link import Agreed, Link


class Witness(dict[LinkId, Link]):
    """The table of links in memory, which remembers every base that was ever saved."""

    def __init__(self) -> None:
        super().__init__()
        self._bases: dict[tuple[LinkId, Side, PairId], list[tuple[float, Agreed | None]]] = {}

    def __setitem__(self, link_id: LinkId, link: Link) -> None:
        """Save a link."""
        super().__setitem__(link_id, link)
        now = asyncio.get_running_loop().time()
        for side in Side:
            for pair_id, record in link.side(side).pairs.items():
                known = self._bases.setdefault((link_id, side, pair_id), [])
                if not known or known[-1][1] != record.base:
                    known.append((now, record.base))

    def base(self, link_id: LinkId, side: Side, pair_id: PairId, before_s: float) -> Agreed | None:
        """Return the base of one side of a pair as it was just before a time."""
        known = self._bases.get((link_id, side, pair_id), [])
        return next((base for at_s, base in reversed(known) if at_s < before_s), None)
