"""Craft.io under the writer's algorithm: how a write and a create look, how ours are found, whom an error is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, Final

from services.craft_writer.settings import CraftWriterSettings
from shared.clients.craft import shapes
from shared.clients.craft.client import CraftClient
from shared.clients.errors import NotFound, Rejected, VendorError
from shared.clients.http import Guard
from shared.clients.pool import ClientPool
from shared.clients.reading import Reading
from shared.domain.ids import AccountId, ConnectionId, EntityId, PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.fields import render
from shared.store.port import Claim
from shared.writing.compare import holds_all, pairs_of
from shared.writing.fault import named
from shared.writing.ports import Created, Found, Written

_CUSTOM: Final = "custom:"
_CUSTOM_PATH: Final = re.compile(r"customFields\.\$?(\d+)")


class CraftHands:
    """Implements `shared.writing.ports.Hands` for Craft.io. It has no changelog: a read precedes every write."""

    side = Side.CRAFT

    def __init__(self, pool: ClientPool, settings: CraftWriterSettings) -> None:
        self._pool = pool
        self.index_lag = timedelta(seconds=settings.craft_index_lag_s)

    async def read(self, claim: Claim) -> Reading:
        """Read the item."""
        client = await self._pool.craft(claim.connection_id)
        return await client.get_item(_target(claim))

    def reads_first(self, claim: Claim) -> bool:
        """Only a read protects people's edits: Craft.io has neither conditions nor a history."""
        del claim
        return True

    def in_steps(self, claim: Claim) -> bool:
        """Every write is one request."""
        del claim
        return False

    def on_the_way(self, claim: Claim, reading: Reading) -> AbstractSet[PairId]:
        """Nothing is ever half written."""
        del claim, reading
        return frozenset()

    async def write(
        self, claim: Claim, values: Mapping[FieldPair, Json], before: Reading | None, guard: Guard
    ) -> Written:
        """Set the changed properties; read the item afterwards if the answer does not show all of it."""
        del before
        client = await self._pool.craft(claim.connection_id)
        item_id = _target(claim)
        written = await client.update_item(item_id, render(Side.CRAFT, values), guard=guard)
        reading = written.reading if written.reading is not None else await _read_back(client, item_id)
        write_at = written.updated or (reading.updated if reading is not None else None)
        return Written(write_at, reading)

    async def create(self, claim: Claim, guard: Guard) -> Created:
        """Create the item, with the link id in the integration's key field if it has one."""
        client = await self._pool.craft(claim.connection_id)
        entity_id, reading = await client.create_item(_create_body(claim), guard=guard)
        return Created(entity_id, reading)

    async def look_up(self, claim: Claim, since: datetime, until: datetime) -> Found:
        """Look among the items that our user created in the window: by key, or by all values of the operation.

        A person may have changed ours already in any way: without a key, every other one of them might be it.
        """
        client = await self._pool.craft(claim.connection_id)
        integration = claim.integration
        key_field = integration.craft_key_field
        us = await self._us(claim.connection_id, client)
        ours = await client.find_created(integration.craft_workspace, us, since, until=until, key_field=key_field)
        if key_field is not None:
            keyed = [each.entity_id for each in ours if each.correlation_key == claim.link_id]
            return Found(tuple([e for e in keyed if await _carries(client, e, key_field, claim.link_id)][:1]))
        writes = pairs_of(claim.operation, integration)
        exact = tuple(each.entity_id for each in ours if holds_all(Side.CRAFT, writes, each.snapshot))
        return Found(exact, tuple(each.entity_id for each in ours if each.entity_id not in exact))

    def marks_creates(self, claim: Claim) -> bool:
        """Tell whether the integration has a key field."""
        return claim.integration.craft_key_field is not None

    def at_fault(self, claim: Claim, sent: Mapping[FieldPair, Json], error: Rejected) -> dict[PairId, str]:
        """Return Craft.io's words by pair: it names paths in the body (`title`, `customFields.$0.value`)."""
        del claim
        custom = [
            str(entry.get("id"))
            for entry in render(Side.CRAFT, sent).get("customFields", ())
            if isinstance(entry, dict)
        ]
        found = named(Side.CRAFT, sent, error)
        for path, words in error.field_errors.items():
            name = path.split(".", 1)[0]
            entry = _CUSTOM_PATH.match(path)
            if entry is not None and int(entry.group(1)) < len(custom):
                name = _CUSTOM + custom[int(entry.group(1))]
            found.update({pair.id: words for pair in sent if pair.craft == name})
        return found

    def in_words(self, error: Rejected) -> str:
        """Craft.io says what it means."""
        return error.message

    async def _us(self, connection_id: ConnectionId, client: CraftClient) -> AccountId:
        connection = await self._pool.connection(connection_id)
        if connection is not None and connection.account_id is not None:
            return connection.account_id
        return (await client.whoami()).id


def _create_body(claim: Claim) -> dict[str, Any]:
    integration, op = claim.integration, claim.operation
    values = {pair: write.value for pair, write in pairs_of(op, integration).items()}
    body: dict[str, Any] = {
        "parent": None,
        **render(Side.CRAFT, values),
        "type": op.type_id,
        "workspaceId": integration.craft_workspace,
    }
    if integration.craft_key_field is not None:
        key = {"id": integration.craft_key_field, "value": claim.link_id}
        body["customFields"] = [*body.get("customFields", ()), key]
    return body


async def _read_back(client: CraftClient, item_id: EntityId) -> Reading | None:
    """Read the item after a write that certainly took effect; None if that does not work just now."""
    try:
        return await client.get_item(item_id)
    except VendorError:
        return None


async def _carries(client: CraftClient, item_id: EntityId, key_field: str, key: str) -> bool:
    try:
        item = await client.get_item(item_id, key_field=key_field)
    except NotFound:
        return False
    return shapes.custom_value(item.snapshot, key_field) == key


def _target(claim: Claim) -> EntityId:
    if claim.entity_id is None:
        raise NotFound(f"operation {claim.operation.id} has no target")
    return claim.entity_id
