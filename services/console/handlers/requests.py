"""What people ask for: handed to the mapper as a message; nothing is decided or changed here.

A push or pull is a look at the item, told as an event of origin REQUEST: that is the mapper's leave to create.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import assert_never

from services.console.domain.drafts import ItemRequestDraft, LinkRequestDraft
from services.console.domain.problems import Fault, Refusal, invalid, not_found
from services.console.domain.views import Accepted
from services.console.handlers.links import Links
from services.console.handlers.vendors import Vendors
from services.console.ports import Ports, Publish
from shared.clients.jira.shapes import project_of
from shared.clients.reading import Reading
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.mapping import Integration, Mode
from shared.eyes.events import seen
from shared.messages.change import Origin
from shared.messages.request import RequestKind, SyncRequest


class Requests:
    """Publishes requests. Each answer says where to watch what comes of it."""

    def __init__(self, ports: Ports, links: Links, vendors: Vendors, publish: Publish, by: str) -> None:
        self._ports = ports
        self._links = links
        self._vendors = vendors
        self._publish = publish
        self._by = by

    async def on_link(self, link_id: LinkId, draft: LinkRequestDraft) -> Accepted:
        """Ask for something to be done with a link."""
        link = (await self._links.view(link_id)).link
        conflict_at: datetime | None = None
        watch = f"/api/v1/links/{link_id}"
        match draft.kind:
            case "push" | "pull":
                side = Side.CRAFT if draft.kind == "push" else Side.JIRA
                entity_id = link.entity_id(side)
                if entity_id is None:
                    other = "pull" if draft.kind == "push" else "push"
                    raise Refusal(
                        HTTPStatus.CONFLICT,
                        "no_item",
                        f"This link has no {side.vendor} item yet, so there is nothing to {draft.kind}.",
                        f"Its {side.other.vendor} item can be carried over: {other}.",
                    )
                reading = await self._vendors.look(link.connection(side), entity_id)
                return await self._tell(side, link.connection(side), reading, draft.kind, watch)
            case "resolve":
                if draft.pair not in link.open_conflicts:
                    raise Refusal(
                        HTTPStatus.CONFLICT,
                        "no_conflict",
                        f"The pair {draft.pair} has no open conflict.",
                        "Load the link again: it may have been settled meanwhile.",
                    )
                conflict_at = link.open_conflicts[draft.pair].at
                if draft.conflict_at not in (None, conflict_at):
                    raise Refusal(
                        HTTPStatus.CONFLICT,
                        "conflict_changed",
                        "One of the two values was changed since this conflict was looked at.",
                        "Load the item again and choose between the values that it shows now.",
                    )
            case "retry" | "resync" | "unsync" | "decide":
                pass
            case _:
                assert_never(draft.kind)
        request = SyncRequest(
            request_id=self._ports.dice.token(),
            kind=RequestKind(draft.kind),
            requested_by=self._by,
            requested_at=self._ports.clock.now(),
            link_id=link_id,
            pair=draft.pair,
            winner=draft.winner,
            conflict_at=conflict_at,
        )
        await self._publish.publish(request)
        return Accepted(request_id=request.request_id, kind=draft.kind, watch=watch)

    async def on_items(self, draft: ItemRequestDraft) -> Accepted:
        """Ask for items to be carried over, or joined."""
        integration = await self._integration(draft.integration_id)
        match draft.kind:
            case "push":
                return await self._carry(integration, Side.CRAFT, draft)
            case "pull":
                return await self._carry(integration, Side.JIRA, draft)
            case "link":
                return await self._join(integration, draft)
            case _:
                assert_never(draft.kind)

    async def _carry(self, integration: Integration, side: Side, draft: ItemRequestDraft) -> Accepted:
        reading = await self._item(integration, side, draft)
        linked = await self._ports.reader.find_link(side, reading.entity_id) is not None
        if not linked and integration.mode_towards(side.other) is Mode.OFF:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "direction_off",
                f"{integration.name} creates no items in {side.other.vendor}: it has that direction switched off.",
                f"Have an admin switch it to manual or automatic, or {draft.kind} the item for another integration.",
            )
        watch = f"/api/v1/items/{side}/{reading.entity_id}"
        return await self._tell(side, integration.connection(side), reading, draft.kind, watch, integration.id)

    async def _join(self, integration: Integration, draft: ItemRequestDraft) -> Accepted:
        ids: dict[Side, EntityId] = {}
        for side in Side:
            ids[side] = (await self._item(integration, side, draft)).entity_id
            taken = await self._ports.reader.find_link(side, ids[side])
            view = await self._ports.reader.link_view(taken) if taken is not None else None
            if view is not None and view.link.entity_id(side.other) is not None:
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    "already_linked",
                    f"The {side.vendor} item {ids[side]} is already in link {taken} with another item.",
                    f"Look at /api/v1/links/{taken}. An item is in one link at most.",
                )
        request = SyncRequest(
            request_id=self._ports.dice.token(),
            kind=RequestKind.LINK,
            requested_by=self._by,
            requested_at=self._ports.clock.now(),
            integration_id=integration.id,
            jira_id=ids[Side.JIRA],
            craft_id=ids[Side.CRAFT],
        )
        await self._publish.publish(request)
        watch = f"/api/v1/items/jira/{ids[Side.JIRA]}"
        return Accepted(request_id=request.request_id, kind=draft.kind, watch=watch)

    async def _item(self, integration: Integration, side: Side, draft: ItemRequestDraft) -> Reading:
        """Read the item that a draft names on a side. Raises a 422 if it is not the integration's."""
        name, ident = ("jira_id", draft.jira_id) if side is Side.JIRA else ("craft_id", draft.craft_id)
        if ident is None:
            raise invalid(Fault(path=name, message="is missing"))
        reading = await self._vendors.look(integration.connection(side), ident)
        if side is Side.JIRA:
            home, wanted = project_of(reading.snapshot), integration.jira_project
        else:
            home, wanted = str(reading.snapshot.get("workspaceId")), integration.craft_workspace
        if home != wanted:
            raise invalid(
                Fault(path=name, message=f"is in {home}, but the integration {integration.id} is for {wanted}")
            )
        return reading

    async def _integration(self, integration_id: IntegrationId) -> Integration:
        found = next((each for each in await self._ports.config.integrations() if each.id == integration_id), None)
        if found is None:
            raise not_found(f"There is no integration {integration_id}.", "GET /api/v1/integrations lists them.")
        return found

    async def _tell(
        self,
        side: Side,
        connection_id: ConnectionId,
        reading: Reading,
        kind: str,
        watch: str,
        integration_id: IntegrationId | None = None,
    ) -> Accepted:
        request_id = self._ports.dice.token()
        event = seen(
            side,
            connection_id,
            reading,
            Origin.REQUEST,
            self._ports.clock.now(),
            change_id=f"request:{request_id}",
            integration_id=integration_id,
        )
        await self._publish.publish(event)
        return Accepted(request_id=request_id, kind=kind, watch=watch)
