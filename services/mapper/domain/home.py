"""Where a new item belongs, if several integrations are for its project or workspace: ADR 0030. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.clients.jira import shapes as jira_shapes
from shared.domain.ids import EntityId, IntegrationId, Side
from shared.domain.mapping import FieldKind, Integration, Mode
from shared.fields.codec import read
from shared.fields.takes import is_for
from shared.messages.change import ChangeEvent


class Home(NamedTuple):
    """The integration that takes an item. `said`: a person, its parent or a rule says so; else it is the first one."""

    integration: Integration
    said: bool


def home_of(event: ChangeEvent, candidates: Sequence[Integration], above: IntegrationId | None) -> Home | None:
    """Return which of the candidates (in order of their ids) a new item is for, None if none takes it.

    What a person chose holds, also where it takes nothing; then `above`, the integration of the item's parent; then a
    rule; then the first without a rule that creates items of that type.
    """
    decided = event.integration_id or (above if any(each.id == above for each in candidates) else None)
    if decided is not None:
        found = next((each for each in candidates if each.id == decided), None)
        return Home(found, said=True) if found is not None else None
    side, snapshot = event.side, event.snapshot or {}
    rules = {each.id: each.rule(side) for each in candidates}
    for each in candidates:
        rule = rules[each.id]
        if rule is not None and is_for(rule, snapshot):
            return Home(each, said=True)
    free = [each for each in candidates if rules[each.id] is None]
    kind = _type_of(event)
    creating = [each for each in free if each.mode_towards(side.other) is not Mode.OFF]
    mapping = [each for each in creating if each.type_on(side.other, kind) is not None]
    first = next(iter((*mapping, *creating, *free)), None)
    return Home(first, said=False) if first is not None else None


def is_asked_of_its_parent(candidates: Sequence[Integration], side: Side) -> bool:
    """Tell whether anything depends on where the parent of a new item is."""
    return len(candidates) > 1 or any(each.rule(side) is not None for each in candidates)


def parent_of(event: ChangeEvent, candidates: Sequence[Integration]) -> EntityId | None:
    """Return the parent that an item shows, wherever one of the candidates finds it."""
    pairs = (pair for each in candidates for pair in each.pairs if pair.kind is FieldKind.PARENT)
    shown = (read(event.side, pair, event.snapshot or {}) for pair in pairs)
    return next((EntityId(str(one.value)) for one in shown if one is not None and one.value is not None), None)


def root_of(parent: EntityId, side: Side, candidates: Sequence[Integration]) -> IntegrationId | None:
    """Return the one integration under whose root an item stands: the root itself is in no link."""
    under = [each.id for each in candidates if side is Side.CRAFT and each.craft_root == parent]
    return under[0] if len(under) == 1 else None


def _type_of(event: ChangeEvent) -> str:
    snapshot = event.snapshot or {}
    shown = jira_shapes.type_of(snapshot) if event.side is Side.JIRA else snapshot.get("type")
    return str(shown or "")
