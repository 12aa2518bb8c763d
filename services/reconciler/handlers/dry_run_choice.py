"""Which items a dry run looks at: the most recently updated ones with some of each mapped type, or all there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.reconciler.handlers.directory import Directory, Post
from shared.clients.errors import Rejected
from shared.domain.clock import Clock
from shared.domain.dry_run import DryRun, DryRunItem
from shared.domain.ids import ConnectionId, EntityId, LinkId, Side
from shared.domain.mapping import Integration
from shared.store.dry_runs import DryRunWork, LinkEnds

OF_EACH_TYPE = 2
"""How many items of each mapped type a sample has at least, if there are so many."""
_BATCH = 500

Ends = tuple[EntityId | None, EntityId | None]
"""The Jira and the Craft.io item of one that is looked at."""


class Unfit(Exception):
    """A dry run cannot be carried out. The words say why and what to do."""


class Choice:
    """Chooses the items of a dry run."""

    def __init__(self, directory: Directory, work: DryRunWork, clock: Clock, most: int) -> None:
        self._directory = directory
        self._work = work
        self._clock = clock
        self._most = most

    async def of(self, run: DryRun) -> tuple[list[DryRunItem], str | None]:
        """Return the items in the order in which they are read, and what people have to know of the choice.

        Raises `Unfit`, or the failure of a vendor or the store.
        """
        draft = run.draft
        links = await self._links_of(draft) if run.sample is None else {}
        found: dict[Side, list[EntityId]] = {}
        for side in Side:
            post, container = post_of(self._directory, draft.connection(side)), draft.container(side)
            if not await post.eyes.container_visible(container):
                what = "project" if side is Side.JIRA else "workspace"
                raise Unfit(
                    f"{side.vendor} shows no {what} {draft.home(side)} to the connection {post.connection.name}."
                )
            if run.sample is None:
                ids = await post.eyes.listed_ids(container)
            else:
                ids = await self._sample(post, container, draft, run.sample)
            found[side] = [entity_id for entity_id in ids if entity_id != draft.craft_root]
        for side, ids in found.items():
            for batch in _batches(ids):
                ends = await self._work.link_ends(side, draft.connection(side), batch)
                links.update((each.link_id, each) for each in ends)
        return self._numbered(list(_joined(links, found)), run.sample)

    async def _links_of(self, draft: Integration) -> dict[LinkId, LinkEnds]:
        found: dict[LinkId, LinkEnds] = {}
        after = ""
        while batch := await self._work.link_ends_of(draft.id, after, _BATCH):
            found.update((each.link_id, each) for each in batch)
            after = batch[-1].link_id
        return found

    async def _sample(self, post: Post, container: str, draft: Integration, count: int) -> Sequence[EntityId]:
        """Return the newest of each side, and some of each type: what is rare goes wrong unnoticed."""
        types = {pair.jira if post.side is Side.JIRA else pair.craft for pair in draft.types}
        now = self._clock.now()
        readings = list(await post.eyes.newest(container, count, now))
        for type_id in sorted(types):
            try:
                readings += await post.eyes.newest(container, OF_EACH_TYPE, now, type_id)
            except Rejected:
                continue  # a type that the vendor does not know has no items
        return list(dict.fromkeys(reading.entity_id for reading in readings))

    def _numbered(self, chosen: Sequence[Ends], sample: int | None) -> tuple[list[DryRunItem], str | None]:
        note = None
        if not chosen:
            note = "There are no items in the project or in the workspace."
        elif len(chosen) > self._most:
            note = (
                f"There are {len(chosen)} items; {self._most} of them are looked at, those that are linked first. "
                "A sample shows the most recently updated ones."
            )
        elif sample is not None:
            note = (
                f"The {sample} most recently updated items of each side, and up to {OF_EACH_TYPE} of each mapped type."
            )
        items = [
            DryRunItem(n=n, jira_id=jira_id, craft_id=craft_id)
            for n, (jira_id, craft_id) in enumerate(chosen[: self._most], 1)
        ]
        return items, note


def post_of(directory: Directory, connection_id: ConnectionId) -> Post:
    """Return a connection that works. Raises `Unfit`."""
    post = directory.find(connection_id)
    if post is None:
        raise Unfit(f"There is no connection {connection_id} with credentials. Save it, then ask again.")
    if post.connection.paused_reason is not None:
        name, why = post.connection.name, post.connection.paused_reason
        raise Unfit(f"The connection {name} does not work ({why}). Repair it, then ask again.")
    return post


def _joined(links: Mapping[LinkId, LinkEnds], found: Mapping[Side, Iterable[EntityId]]) -> Iterator[Ends]:
    """Yield both ends of each link, then what is in no link."""
    for ends in links.values():
        yield ends.jira_id, ends.craft_id
    linked = {side: {ends.entity_id(side) for ends in links.values()} for side in Side}
    yield from ((entity_id, None) for entity_id in found[Side.JIRA] if entity_id not in linked[Side.JIRA])
    yield from ((None, entity_id) for entity_id in found[Side.CRAFT] if entity_id not in linked[Side.CRAFT])


def _batches(ids: Sequence[EntityId]) -> Iterator[Sequence[EntityId]]:
    for first in range(0, len(ids), _BATCH):
        yield ids[first : first + _BATCH]
