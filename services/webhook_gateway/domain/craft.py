"""What a Craft.io webhook says. Pure. Craft.io documents none: the shape is an assumption, see docs/assumptions.md.

Assumed: `{event: item.created | item.updated | item.deleted, eventId, occurredAt, workspaceId, actor: {id}, item}`,
where the item is whole, partial or only `{id}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.webhook_gateway.domain.identity import account_id, change_id, entity_id
from services.webhook_gateway.domain.verdict import (
    MAX_DEPTH,
    EventKind,
    Forward,
    Ignored,
    IgnoredBecause,
    Verdict,
    nested_within,
)
from shared.clients.craft.shapes import creator_of, updated_of
from shared.clients.times import parse_time
from shared.domain.ids import AccountId, ConnectionId, Side
from shared.messages.change import ChangeEvent, ChangeKind, Origin

_KINDS: Final = {kind.value: kind for kind in (EventKind.ITEM_CREATED, EventKind.ITEM_UPDATED, EventKind.ITEM_DELETED)}
_NAMES_ONLY: Final = frozenset({"id", "shortId", "workspaceId", "type"})
"""Properties that only say which item it is: with nothing else, the event is thin and the item has to be read."""


def read_craft(body: object, connection_id: ConnectionId, now: datetime) -> Verdict:
    """Return what a body of Craft.io is. `now` is our clock. Never raises.

    A property that the item lacks was not seen; it is not said to be empty, since the body may be partial.
    """
    if not isinstance(body, Mapping):
        return Ignored(EventKind.UNKNOWN, IgnoredBecause.NOT_AN_OBJECT, "the body is JSON, but not an object")
    name = body.get("event")
    if not isinstance(name, str) or not name:
        return Ignored(EventKind.UNKNOWN, IgnoredBecause.NO_EVENT_NAME, "the body has no event")
    kind = _KINDS.get(name)
    if kind is None:
        words = "an event of a kind that Tandem does not know; if items change by it, the feed finds the change"
        return Ignored(EventKind.UNKNOWN, IgnoredBecause.UNKNOWN_EVENT, words)
    item = body.get("item")
    if not isinstance(item, Mapping):
        return Ignored(kind, IgnoredBecause.NO_ITEM, "an item event without its item")
    if item.get("id") in (None, ""):
        return Ignored(kind, IgnoredBecause.NO_ITEM_ID, "an item event whose item has no id")
    ident = entity_id(item["id"])
    if ident is None:
        words = "an item event whose item has an id that is none of Craft.io's"
        return Ignored(kind, IgnoredBecause.UNUSABLE_ITEM_ID, words)
    occurred = body.get("occurredAt")
    event = ChangeEvent(
        change_id=change_id(connection_id, body.get("eventId"), kind, ident, occurred, item.get("updateTime")),
        side=Side.CRAFT,
        connection_id=connection_id,
        entity_id=ident,
        kind=ChangeKind.DELETED if kind is EventKind.ITEM_DELETED else ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=now,
        updated=updated_of(item) or parse_time(occurred),
        snapshot=_snapshot(body, item),
        by=_actor(body),
        created_by=account_id(creator_of(item)),
    )
    return Forward(kind, event)


def _snapshot(body: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any] | None:
    if item.keys() <= _NAMES_ONLY or not nested_within(item, MAX_DEPTH):
        return None
    workspace = body.get("workspaceId")
    return {**({} if workspace is None else {"workspaceId": workspace}), **item, "id": str(item["id"])}


def _actor(body: Mapping[str, Any]) -> AccountId | None:
    actor = body.get("actor")
    ident = entity_id(actor.get("id")) if isinstance(actor, Mapping) else None
    return None if ident is None else AccountId(ident)
