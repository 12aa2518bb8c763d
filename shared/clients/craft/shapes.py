"""Reading Craft.io's JSON: times, whole items. Pure; used by the gateway, the client and the reconciler."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.clients.times import parse_time
from shared.domain.ids import AccountId

OPTIONAL_PROPERTIES = (
    "description",
    "storyPoints",
    "value",
    "effort",
    "estimatedHours",
    "labels",
    "actualStartDate",
    "actualEndDate",
    "status",
    "importance",
    "parent",
    "customFields",
    "kano",
    "sprint",
    "quarter",
    "persona",
    "personas",
    "objectives",
    "keyResults",
    "assignee",
)
"""Properties that the API leaves out of a whole item when they are empty (all are optional in its description)."""


def is_archived(item: Mapping[str, Any]) -> bool:
    """Tell whether an item says that it is archived (docs/assumptions.md)."""
    return item.get("archived") is True


def whole_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item read with all its fields, its empty properties said to be empty (null), not missing."""
    return {**dict.fromkeys(OPTIONAL_PROPERTIES), **item}


def updated_of(item: Mapping[str, Any]) -> datetime | None:
    """Return the `updateTime` of an item."""
    return parse_time(item.get("updateTime"))


def creator_of(item: Mapping[str, Any]) -> AccountId | None:
    """Return who created an item."""
    creator = item.get("createdBy")
    ident = creator.get("id") if isinstance(creator, Mapping) else None
    return AccountId(ident) if isinstance(ident, str) else None


def type_of(item: Mapping[str, Any]) -> str | None:
    """Return an item's type."""
    found = item.get("type")
    return found if isinstance(found, str) else None


def custom_value(item: Mapping[str, Any], field_id: str) -> str | None:
    """Return the value of a custom field, None if it is empty or missing."""
    fields = item.get("customFields")
    for entry in fields if isinstance(fields, list) else ():
        if isinstance(entry, Mapping) and entry.get("id") == field_id:
            value = entry.get("value")
            return value if isinstance(value, str) and value else None
    return None
