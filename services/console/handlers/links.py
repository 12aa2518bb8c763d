"""Showing links: one with everything, lists by state, counts, strays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from services.console.domain.drafts import LinksQuery, StraysQuery
from services.console.domain.naming import named
from services.console.domain.outdated import as_of_now
from services.console.domain.problems import Refusal, not_found
from services.console.domain.views import IntegrationSummary, LinkDetail, LinkList, StrayList, Summary
from services.console.handlers.vendors import Vendors
from services.console.ports import Reader
from shared.clients.jira.projects import covers
from shared.clients.jira.shapes import project_of
from shared.clients.reading import Reading
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.mapping import Integration
from shared.fields.takes import is_for
from shared.store.port import ConfigReader, LinkView

_MAX_STRAYS: Final = 1000
_REQUESTS: Final = 10
"""The latest requests that are shown with a link."""


class Links:
    """Reads for people."""

    def __init__(self, reader: Reader, config: ConfigReader, vendors: Vendors) -> None:
        self._reader = reader
        self._config = config
        self._vendors = vendors

    async def list(self, query: LinksQuery) -> LinkList:
        """Return a page of links in id order."""
        found = await self._reader.list_statuses(
            integration_id=query.integration, state=query.state, after=query.after, limit=query.limit
        )
        now = {each.id: each for each in await self._config.integrations()}
        links = [as_of_now(status, now.get(status.integration_id)) for status in found]
        return LinkList(links=links, next=found[-1].link_id if len(found) == query.limit else None)

    async def detail(self, link_id: LinkId) -> LinkDetail:
        """Return all about one link."""
        view = await self.view(link_id)
        integrations = await self._config.integrations()
        integration = next((each for each in integrations if each.id == view.link.integration_id), None)
        return LinkDetail.of(view, integration, await self._reader.requests_of(link_id, _REQUESTS))

    async def view(self, link_id: LinkId) -> LinkView:
        """Return the stored view of a link. Raises a 404."""
        view = await self._reader.link_view(link_id)
        if view is None:
            raise not_found(f"There is no link {link_id}.", "GET /api/v1/links lists the links.")
        return view

    async def by_item(self, side: Side, ident: EntityId) -> LinkDetail:
        """Return all about the link of an item, by its id, the key that people know it by, or its address."""
        with suppress(ValueError):  # what names no item is looked for, and not found
            ident = named(ident)
        link_id = await self._reader.find_link(side, ident)
        if link_id is None and not ident.isdigit():  # keys have letters
            link_id = await self._reader.find_link_by_label(side, ident)
        if link_id is None:
            link_id = await self._look_for(side, ident)
        return await self.detail(link_id)

    async def _look_for(self, side: Side, ident: EntityId) -> LinkId:
        """Ask the vendor for an item: it may be in a link by an id that its name does not tell. Raises a 404 that says
        why it is in none.
        """
        for stray in await self._reader.strays(_MAX_STRAYS):
            if stray.get("side") == side and stray.get("entity_id") == ident:
                raise not_found(
                    f"The {side.vendor} item {ident} is in no link: {stray.get('reason')}.",
                    "Look at GET /api/v1/strays. If it is a duplicate, delete it by hand; else link it.",
                )
        integrations = await self._config.integrations()
        found = await self._find(ident, sorted({each.connection(side) for each in integrations}))
        if found is None:
            connected = ", ".join(sorted({each.home(side) for each in integrations})) or "nothing yet"
            raise not_found(
                f"{side.vendor} shows Tandem no item {ident}.",
                f"Check the id or key, and that Tandem's {side.vendor} account may see it. Covered: {connected}.",
            )
        connection_id, reading = found
        link_id = await self._reader.find_link(side, reading.entity_id)
        if link_id is not None:
            return link_id
        raise self._why_unknown(side, ident, reading.snapshot, connection_id, integrations)

    def _why_unknown(
        self,
        side: Side,
        ident: EntityId,
        snapshot: Mapping[str, Any],
        connection_id: ConnectionId,
        integrations: Sequence[Integration],
    ) -> Refusal:
        """Return why an item that is there has no row."""
        home = home_in(snapshot, side)
        here = [each for each in integrations if each.connection(side) == connection_id]
        covering = next((each for each in here if is_home(each, side, snapshot)), None)
        if covering is None:
            covered = ", ".join(sorted({each.home(side) for each in here}))
            return not_found(
                f"The {side.vendor} item {ident} is in {home}, which no integration covers (they cover {covered}).",
                "Add an integration for it, or move the item.",
            )
        if side is Side.CRAFT and covering.craft_root == snapshot.get("id"):
            return not_found(
                f"The Craft.io item {ident} is the one under which {covering.name} puts its items; it is not synced "
                "itself.",
                "Choose an item below it.",
            )
        taking = [each for each in here if is_home(each, side, snapshot) and _takes(each, side, snapshot)]
        if not taking:
            return not_found(
                f"The {side.vendor} item {ident} is in {home}, but it has none of the values for which {covering.name} "
                "takes new items there.",
                "Give the item such a value, or change the integration's rule (`takes`).",
            )
        covering = taking[0]
        verb = "Pull" if side is Side.JIRA else "Push"
        return not_found(
            f"Tandem has not heard of the {side.vendor} item {ident} yet: it was last changed before {covering.name} "
            "began to look, or just now.",
            f"{verb} it (POST /api/v1/requests), or change it: then it is taken in.",
        )

    async def _find(self, ident: EntityId, connections: Sequence[ConnectionId]) -> tuple[ConnectionId, Reading] | None:
        """Look for an item on the connections of a side. Raises a 502 if one cannot be asked and none has it."""
        failed: Refusal | None = None
        for connection_id in connections:
            try:
                return connection_id, await self._vendors.look(connection_id, ident)
            except Refusal as refusal:
                if refusal.problem.status != HTTPStatus.NOT_FOUND:
                    failed = refusal
        if failed is not None:
            raise failed
        return None

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


def is_home(integration: Integration, side: Side, snapshot: Mapping[str, Any]) -> bool:
    """Tell whether an item is in the project or workspace of an integration."""
    if side is Side.JIRA:
        return covers(integration, snapshot)
    return bool(snapshot.get("workspaceId") == integration.craft_workspace)


def _takes(integration: Integration, side: Side, snapshot: Mapping[str, Any]) -> bool:
    rule = integration.rule(side)
    return rule is None or is_for(rule, snapshot)


def home_in(snapshot: Mapping[str, Any], side: Side) -> str:
    """Return the project or workspace that an item is in."""
    return str(project_of(snapshot) if side is Side.JIRA else snapshot.get("workspaceId"))
