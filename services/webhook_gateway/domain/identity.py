"""Identifiers as they come in bodies and headers: what is taken for one, and what an event without one gets."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from shared.domain.ids import AccountId, ConnectionId, EntityId

_ENTITY: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""Vendor ids are digits; whatever else is taken can neither leave a URL's path segment nor a record's key."""
_DELIVERY: Final = re.compile(r"[\x21-\x7e]{1,200}")


def entity_id(value: object) -> EntityId | None:
    """Return an item's id, also where it came as a number (of any size); None if it is not one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return EntityId(value) if isinstance(value, str) and _ENTITY.fullmatch(value) else None


def account_id(value: AccountId | None) -> AccountId | None:
    """Return an account id that can be written anywhere, None for any other text."""
    return value if value is not None and value.isprintable() and len(value) <= 200 else None


def change_id(connection_id: ConnectionId, delivery_id: object, *content: object) -> str:
    """Return the id of an event, the same for all its deliveries: from the vendor's own id, else computed from content.

    A vendor's id is unique for one site only, so the connection is always part of it.
    """
    if isinstance(delivery_id, str) and _DELIVERY.fullmatch(delivery_id):
        return f"{connection_id}:{delivery_id}"
    told = [value if isinstance(value, str | int | float) else None for value in content]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return f"{connection_id}:computed-{digest[:32]}"
