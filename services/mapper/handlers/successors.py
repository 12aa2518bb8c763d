"""Moving items from the rows that they are in to a new one: what is left behind is kept for ever (PROTOCOL F20).

A row has one item on each side in all its life, so that what was written to one is never taken for something about
another; an item is in one row at a time.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.mapper.domain.context import Context
from services.mapper.domain.requests import let_go
from services.mapper.handlers.conclusion import Conclusion
from shared.domain.clock import Clock, Dice
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import Link, LinkState
from shared.domain.mapping import Integration
from shared.messages.base import Message
from shared.store.port import Contended, LinkTransaction


class Successors:
    """Makes links of items that may be in others. Called within the transaction that holds those."""

    def __init__(self, conclusion: Conclusion, clock: Clock, dice: Dice) -> None:
        self._conclusion = conclusion
        self._clock = clock
        self._dice = dice

    def made(
        self,
        integration: Integration,
        items: Mapping[Side, EntityId],
        *,
        state: LinkState = LinkState.CREATING,
        origin: Side | None = None,
    ) -> Link:
        """Return a new link of one or two items, not inserted yet."""
        return Link(
            id=LinkId(self._dice.token()),
            integration_id=integration.id,
            jira_connection=integration.jira_connection,
            craft_connection=integration.craft_connection,
            origin=origin or next(iter(items)),
            state=state,
            created_at=self._clock.now(),
            jira_id=items.get(Side.JIRA),
            craft_id=items.get(Side.CRAFT),
        )

    async def take_over(
        self, tx: LinkTransaction, link: Link, former: Mapping[Side, Link], ctx: Context
    ) -> list[Message]:
        """Take the items of a new link out of the rows that they are in; return what tells of those."""
        told: list[Message] = []
        for side, before in former.items():
            names = ("jira_", "title") if side is Side.JIRA else ("craft_", "title")
            link.labels.update({name: value for name, value in before.labels.items() if name.startswith(names)})
            link.predecessors.append(before.id)
            let_go(before, side, link.id, ctx)
            await tx.save(before)
            told += await self._conclusion.publishable(tx, before, ctx, None)
        return told

    async def insert(self, tx: LinkTransaction, link: Link) -> None:
        """Insert a new link. Raises `Contended` if an item of it is in another one by now."""
        if not await tx.insert(link):
            raise Contended("another input inserted a link of one of these items meanwhile")
        for side in Side:
            entity_id = link.entity_id(side)
            if entity_id is not None:
                await tx.unpark(side, link.connection(side), entity_id)
