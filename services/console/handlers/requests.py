"""What people ask for: handed to the mapper as a message; nothing is decided or changed here.

What the link's situation does not allow is refused at once, by the same table by which the mapper judges the request
when it comes to it; what it answers then is kept under the request's id. A push or pull is a look at the item, told as
an event of origin REQUEST: that is the mapper's leave to create.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import assert_never

from services.console.domain.drafts import ItemRequestDraft, LinkRequestDraft
from services.console.domain.problems import Fault, Refusal, invalid, not_found
from services.console.domain.views import Accepted, RequestView
from services.console.handlers.links import Links, home_in, is_home
from services.console.handlers.vendors import Vendors
from services.console.ports import Ports, Publish
from shared.clients.reading import Reading
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.link import Link, LinkState
from shared.domain.mapping import Integration, Mode
from shared.domain.requests import Refused, RequestKind, Situation, judge, situation_of
from shared.eyes.events import seen
from shared.messages.base import Message
from shared.messages.change import Origin
from shared.messages.request import SyncRequest
from shared.store.requests import Asked


class Requests:
    """Publishes requests. Each answer says where to watch what comes of it."""

    def __init__(self, ports: Ports, links: Links, vendors: Vendors, publish: Publish, by: str) -> None:
        self._ports = ports
        self._links = links
        self._vendors = vendors
        self._publish = publish
        self._by = by

    async def show(self, request_id: str) -> RequestView:
        """Return what became of a request. Raises a 404."""
        asked = await self._ports.reader.request(request_id)
        if asked is None:
            raise not_found(
                f"There is no request {request_id}, or it was made more than a month ago.",
                "Look at the item itself: GET /api/v1/items/{side}/{id}.",
            )
        return RequestView.of(asked)

    async def on_link(self, link_id: LinkId, draft: LinkRequestDraft) -> Accepted:
        """Ask for something to be done with a link. Raises a 409 for what its situation does not allow."""
        link = (await self._links.view(link_id)).link
        conflict_at: datetime | None = None
        watch = f"/api/v1/links/{link_id}"
        match draft.kind:
            case "push" | "pull":
                return await self._carry_link(link, draft.kind, watch)
            case "resolve":
                _check(link, RequestKind.RESOLVE)
                if draft.pair not in link.open_conflicts:
                    raise Refusal(
                        HTTPStatus.CONFLICT,
                        "no_conflict",
                        "There is no open conflict about this field.",
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
                _check(link, RequestKind(draft.kind))
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
        return await self._ask(request.request_id, draft.kind, watch, request, link_id)

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

    async def _carry_link(self, link: Link, kind: str, watch: str) -> Accepted:
        side = Side.CRAFT if kind == "push" else Side.JIRA
        _check(link, RequestKind.CARRY)
        entity_id = link.entity_id(side)
        if entity_id is None:
            other = "pull" if kind == "push" else "push"
            raise Refusal(
                HTTPStatus.CONFLICT,
                "no_item",
                f"This link has no {side.vendor} item yet, so there is nothing to {kind}.",
                f"Its {side.other.vendor} item can be carried over: {other}.",
            )
        reading = await self._vendors.look(link.connection(side), entity_id)
        return await self._tell(side, link.connection(side), reading, kind, watch, link_id=link.id)

    async def _carry(self, integration: Integration, side: Side, draft: ItemRequestDraft) -> Accepted:
        reading = await self._item(integration, side, draft)
        link = await self._row(integration, side, reading.entity_id)
        elsewhere = link is None or link.integration_id != integration.id
        untaken = link is not None and situation_of(link) is Situation.NOT_TAKEN
        if untaken or (elsewhere and (link is None or link.state is LinkState.HELD)):
            if integration.mode_towards(side.other) is Mode.OFF:
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    "direction_off",
                    f"{integration.name} creates no items in {side.other.vendor}: it has that direction switched off.",
                    f"Have an admin switch it to manual or automatic, or {draft.kind} the item for another "
                    "integration.",
                )
        elif link is not None:
            _check(link, RequestKind.CARRY)
        watch = f"/api/v1/items/{side}/{reading.entity_id}"
        connection_id = integration.connection(side)
        link_id = link.id if link is not None else None
        return await self._tell(side, connection_id, reading, draft.kind, watch, integration.id, link_id)

    async def _join(self, integration: Integration, draft: ItemRequestDraft) -> Accepted:
        ids: dict[Side, EntityId] = {}
        rows: dict[Side, Link] = {}
        for side in Side:
            ids[side] = (await self._item(integration, side, draft)).entity_id
            row = await self._row(integration, side, ids[side])
            if row is not None:
                rows[side] = row
        one_row = len(rows) == len(ids) and len({row.id for row in rows.values()}) == 1
        for side, row in rows.items():
            if not one_row or situation_of(row) is not Situation.APART:
                _check(row, RequestKind.LINK, _where(row, side))
        request = SyncRequest(
            request_id=self._ports.dice.token(),
            kind=RequestKind.LINK,
            requested_by=self._by,
            requested_at=self._ports.clock.now(),
            integration_id=integration.id,
            jira_id=ids[Side.JIRA],
            craft_id=ids[Side.CRAFT],
        )
        watch = f"/api/v1/items/jira/{ids[Side.JIRA]}"
        return await self._ask(request.request_id, draft.kind, watch, request)

    async def _row(self, integration: Integration, side: Side, entity_id: EntityId) -> Link | None:
        """Return the link that an item is in, as far as it is found; the mapper judges by what it holds."""
        link_id = await self._ports.reader.find_link(side, entity_id)
        view = await self._ports.reader.link_view(link_id) if link_id is not None else None
        link = view.link if view is not None else None
        return link if link is not None and link.connection(side) == integration.connection(side) else None

    async def _item(self, integration: Integration, side: Side, draft: ItemRequestDraft) -> Reading:
        """Read the item that a draft names on a side. Raises a 422 if it is not the integration's."""
        name, ident = ("jira_id", draft.jira_id) if side is Side.JIRA else ("craft_id", draft.craft_id)
        if ident is None:
            raise invalid(Fault(path=name, message="is missing"))
        reading = await self._vendors.look(integration.connection(side), ident)
        if not is_home(integration, side, reading.snapshot):
            where = "another workspace"
            if side is Side.JIRA:
                where = f"the project {home_in(reading.snapshot, side)}, not in {integration.home(side)}"
            raise invalid(Fault(path=name, message=f"is in {where}: {integration.name} is not for it"))
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
        link_id: LinkId | None = None,
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
        return await self._ask(request_id, kind, watch, event, link_id)

    async def _ask(
        self, request_id: str, kind: str, watch: str, message: Message, link_id: LinkId | None = None
    ) -> Accepted:
        """Note a request, so that its answer has a place, and publish it."""
        await self._ports.reader.note_request(Asked(request_id, kind, self._by, self._ports.clock.now(), link_id))
        await self._publish.publish(message)
        return Accepted(request_id=request_id, kind=kind, watch=watch, answer=f"/api/v1/requests/{request_id}")


def _named(link: Link, side: Side) -> str:
    """Return an item of a link as people know it."""
    key = link.labels.get("jira_key" if side is Side.JIRA else "craft_short_id")
    title = link.labels.get("title")
    known = " ".join(each for each in (key, f'"{title}"' if title else None) if each)
    return f"{known} in {side.vendor}" if known else f"The {side.vendor} item"


def _where(link: Link, side: Side) -> str:
    """Return what an item that is to be linked is linked with already, as the beginning of an answer."""
    if link.entity_id(side.other) is None:
        return f"{_named(link, side)}: "
    return f"{_named(link, side)} belongs to {_named(link, side.other)}. "


def _check(link: Link, kind: RequestKind, which: str = "") -> None:
    """Raise a 409 for what a link's situation does not allow."""
    cell = judge(link, kind)
    if isinstance(cell, Refused):
        raise Refusal(HTTPStatus.CONFLICT, cell.code, which + cell.message, cell.next_step)
