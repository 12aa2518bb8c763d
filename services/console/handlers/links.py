"""Showing links: one with everything, lists by state, counts, strays."""

from __future__ import annotations

from typing import Final

from services.console.domain.drafts import LinksQuery, StraysQuery
from services.console.domain.problems import Refusal, not_found
from services.console.domain.views import IntegrationSummary, LinkDetail, LinkList, StrayList, Summary
from shared.domain.ids import EntityId, IntegrationId, LinkId, Side
from shared.store.port import ConfigReader, LinkView, StatusReader

_MAX_STRAYS: Final = 1000


class Links:
    """Reads for people."""

    def __init__(self, reader: StatusReader, config: ConfigReader) -> None:
        self._reader = reader
        self._config = config

    async def list(self, query: LinksQuery) -> LinkList:
        """Return a page of links in id order."""
        found = await self._reader.list_statuses(
            integration_id=query.integration, state=query.state, after=query.after, limit=query.limit
        )
        return LinkList(links=list(found), next=found[-1].link_id if len(found) == query.limit else None)

    async def detail(self, link_id: LinkId) -> LinkDetail:
        """Return all about one link."""
        view = await self.view(link_id)
        integrations = await self._config.integrations()
        integration = next((each for each in integrations if each.id == view.link.integration_id), None)
        return LinkDetail.of(view, integration)

    async def view(self, link_id: LinkId) -> LinkView:
        """Return the stored view of a link. Raises a 404."""
        view = await self._reader.link_view(link_id)
        if view is None:
            raise not_found(f"There is no link {link_id}.", "GET /api/v1/links lists the links.")
        return view

    async def by_item(self, side: Side, ident: EntityId) -> LinkDetail:
        """Return all about the link of an item, by its id, or by the key that people know it by."""
        link_id = await self._reader.find_link(side, ident)
        if link_id is None and not ident.isdigit():  # keys have letters
            link_id = await self._reader.find_link_by_label(side, ident)
        if link_id is None:
            raise await self._unknown_item(side, ident)
        return await self.detail(link_id)

    async def _unknown_item(self, side: Side, ident: EntityId) -> Refusal:
        for stray in await self._reader.strays(_MAX_STRAYS):
            if stray.get("side") == side and stray.get("entity_id") == ident:
                return not_found(
                    f"The {side.vendor} item {ident} is in no link: {stray.get('reason')}.",
                    "Look at GET /api/v1/strays. If it is a duplicate, delete it by hand; else link it.",
                )
        return not_found(
            f"The {side.vendor} item {ident} is in no link.",
            "It may be outside every integration's project or workspace, its direction may be manual (then push or "
            "pull it with POST /api/v1/requests), or Tandem has not heard of it yet.",
        )

    async def summary(self) -> Summary:
        """Return how many links are in each state."""
        integrations = [
            IntegrationSummary(id=each.id, name=each.name, states=await self._count(each.id))
            for each in await self._config.integrations()
        ]
        states = await self._count(None)
        strays = len(await self._reader.strays(_MAX_STRAYS))
        return Summary(states=states, total=sum(states.values()), strays=strays, integrations=integrations)

    async def _count(self, integration_id: IntegrationId | None) -> dict[str, int]:
        return {str(state): count for state, count in (await self._reader.count_by_state(integration_id)).items()}

    async def strays(self, query: StraysQuery) -> StrayList:
        """Return possible duplicates."""
        return StrayList(strays=list(await self._reader.strays(query.limit)))
