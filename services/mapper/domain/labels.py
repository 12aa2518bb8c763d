"""What people know an item by, as its side shows it: key, type, title, address. Changes the link in place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.mapper.domain.observation import Observation
from shared.clients.craft import shapes as craft_shapes
from shared.clients.jira import shapes as jira_shapes
from shared.domain.ids import Side
from shared.domain.link import Link


def labels_of(side: Side, snapshot: Mapping[str, Any]) -> dict[str, str]:
    """Return what people know an item by, as far as a snapshot shows it: key, type, title."""
    if side is Side.JIRA:
        fields = snapshot.get("fields")
        title = fields.get("summary") if isinstance(fields, Mapping) else None
        found = {
            "jira_key": snapshot.get("key"),
            "jira_type": jira_shapes.type_of(snapshot),
            "jira_type_name": jira_shapes.type_name_of(snapshot),
            "jira_url": jira_shapes.url_of(snapshot),
            "title": title,
        }
    else:
        found = {
            "craft_short_id": snapshot.get("shortId"),
            "craft_type": craft_shapes.type_of(snapshot),
            "craft_url": snapshot.get("webUrl"),
            "title": snapshot.get("title"),
        }
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def label(link: Link, observation: Observation, snapshot: Mapping[str, Any], now: datetime, *, fresh: bool) -> None:
    """Take over what people know an item by, unless a newer snapshot has told it. A fresh read always tells.

    The type decides about a create, so it is not guessed either: another one at an equal time is read afresh (PROTOCOL
    F13).
    """
    state = link.side(observation.side)
    found = labels_of(observation.side, snapshot)
    kind = f"{observation.side}_type"
    known_at, at = state.labelled_at, observation.at
    if not fresh and known_at is not None and at is not None and at <= known_at:
        if at == known_at and found.get(kind, link.labels.get(kind)) != link.labels.get(kind):
            state.doubt(now)
        return
    link.labels.update(found)
    if kind in found:
        state.labelled_at = at or known_at


def facts_of(link: Link) -> dict[Side, dict[str, str]]:
    """Return what expressions may know of the item on each side, as far as it was shown."""
    known = {
        Side.JIRA: ("jira_key", "jira_type", "jira_url"),
        Side.CRAFT: ("craft_short_id", "craft_type", "craft_url"),
    }
    return {
        side: dict(
            zip(("key", "type", "url", "title"), (link.labels.get(n, "") for n in (*names, "title")), strict=True)
        )
        for side, names in known.items()
    }
