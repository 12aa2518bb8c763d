"""Change events of what was read. Pure; used by the reconciler and the console."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.clients.craft import shapes as craft_shapes
from shared.clients.jira import shapes as jira_shapes
from shared.clients.reading import Reading
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, Side
from shared.messages.change import ChangeEvent, ChangeKind, Origin

MAX_KEY = 200
"""The longest correlation key that a change event carries; a link id is far shorter."""


def seen(
    side: Side,
    connection_id: ConnectionId,
    reading: Reading,
    origin: Origin,
    observed_at: datetime,
    *,
    change_id: str | None = None,
    ticket: int | None = None,
    integration_id: IntegrationId | None = None,
) -> ChangeEvent:
    """Return the event of one reading. `change_id` None: made of what was read, so that the same state has the same
    id.
    """
    key = reading.correlation_key
    creator_of = jira_shapes.creator_of if side is Side.JIRA else craft_shapes.creator_of
    return ChangeEvent(
        change_id=change_id or f"{origin}:{connection_id}:{reading.entity_id}:{fingerprint(reading.snapshot)}",
        side=side,
        connection_id=connection_id,
        entity_id=reading.entity_id,
        kind=ChangeKind.SEEN,
        origin=origin,
        observed_at=observed_at,
        updated=reading.updated,
        snapshot=reading.snapshot,
        created_by=creator_of(reading.snapshot),
        ticket=ticket,
        changelog=reading.changelog,
        # longer than any key of ours: a person's text in the field that is meant for it
        correlation_key=key if key is not None and len(key) <= MAX_KEY else None,
        correlation_read=reading.correlation_read,
        integration_id=integration_id,
    )


def not_found(
    kind: ChangeKind,
    side: Side,
    connection_id: ConnectionId,
    entity_id: EntityId,
    observed_at: datetime,
    *,
    change_id: str,
    ticket: int | None = None,
) -> ChangeEvent:
    """Return the event of an item that a read with working credentials did not find; `kind`: what that means."""
    return ChangeEvent(
        change_id=change_id,
        side=side,
        connection_id=connection_id,
        entity_id=entity_id,
        kind=kind,
        origin=Origin.FRESH,
        observed_at=observed_at,
        ticket=ticket,
    )


def fingerprint(snapshot: Mapping[str, Any]) -> str:
    """Return a short hash of a snapshot's content; the order of properties does not matter."""
    text = json.dumps(snapshot, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]
