"""What an event says of an entity that is in no link: whose it is, and where it belongs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shared.clients.craft import shapes as craft_shapes
from shared.clients.jira import shapes as jira_shapes
from shared.clients.jira.projects import covers
from shared.domain.ids import Side
from shared.domain.mapping import Connection, Integration
from shared.messages.change import ChangeEvent


def candidates_of(event: ChangeEvent, integrations: Sequence[Integration]) -> list[Integration]:
    """Return the integrations whose Jira project or Craft workspace an entity is in, in order of their ids."""
    snapshot = event.snapshot or {}
    if event.side is Side.JIRA:
        found = [i for i in integrations if covers(i, snapshot)]
    else:
        workspace = snapshot.get("workspaceId")
        found = [i for i in integrations if i.craft_workspace == workspace and i.craft_root != event.entity_id]
    return sorted(found, key=lambda integration: integration.id)


def is_by_us(event: ChangeEvent, connection: Connection) -> bool:
    """Tell whether our own account created an entity."""
    snapshot = event.snapshot or {}
    shapes_creator = jira_shapes.creator_of if event.side is Side.JIRA else craft_shapes.creator_of
    creator = event.created_by or shapes_creator(snapshot)
    return connection.account_id is not None and creator == connection.account_id


def correlation_key_of(event: ChangeEvent, integrations: Sequence[Integration]) -> tuple[str | None, bool]:
    """Return the link id that an entity carries, and whether it was looked for, wherever one of the integrations would
    have put it: any of them may have made the entity, and each may have a key field of its own in Craft.io.
    """
    if event.correlation_key is not None:
        return event.correlation_key, True
    if event.side is Side.JIRA:
        return None, event.correlation_read
    snapshot = event.snapshot or {}
    fields = sorted({each.craft_key_field for each in integrations if each.craft_key_field is not None})
    keys = (craft_shapes.custom_value(snapshot, field) for field in fields)
    return next((key for key in keys if key), None), bool(fields) and "customFields" in snapshot


def has_no_key(event: ChangeEvent, candidates: Sequence[Integration]) -> bool:
    """Tell whether an entity may be of a create that could put no key on it."""
    return event.side is Side.CRAFT and any(each.craft_key_field is None for each in candidates)
