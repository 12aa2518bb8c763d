"""What must be true once everybody is quiet: converged or in conflict, one counterpart each, no edit silently gone, nothing in flight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.craft.site import CraftSite
from sandbox.craft.settings import SYNC_KEY
from sandbox.jira.site import SYNC_EMAIL, JiraSite
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.link import Json, Link, LinkState
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration
from shared.fields import equivalent, read, same
from shared.fields.translate import Parents
from shared.messages.status import Cause
from shared.store.port import LinkView
from tests.simulation.network import Call, SimNetwork, body_of
from tests.simulation.people import Edit, People

GET_TO_PUT_S = 45.0
"""PROTOCOL W1: between the read and the landing of one attempt in Craft.io, the same field cannot be protected."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the oracle looks at."""

    jira: JiraSite
    craft: CraftSite
    integration: Integration
    people: People
    network: SimNetwork
    views: list[LinkView]
    quiet_since_s: float


def violations(evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong, each in one line."""
    by_entity = {
        (side, entity_id): view
        for view in evidence.views
        for side in Side
        if (entity_id := view.link.entity_id(side)) is not None
    }
    for view in evidence.views:
        yield from _in_flight(view.link, by_entity)
        yield from _diverged(evidence, view.link, by_entity)
    yield from _counterparts(evidence, by_entity)
    yield from _lost_edits(evidence, by_entity)
    for call in evidence.network.writes_since(evidence.quiet_since_s):
        yield f"(d) a write after quiet: {call.method} {call.path} at {call.done_s:.1f}"


def _in_flight(link: Link, by_entity: dict[tuple[Side, EntityId], LinkView]) -> Iterator[str]:
    if link.op_id is not None:
        yield f"(f) link {_name(link)} still has {link.op_id} in flight, state {link.state}"
    for side in Side:
        if link.side(side).dirty and link.state is LinkState.ACTIVE:
            yield f"(f) link {_name(link)} is still dirty on {side}"
    if link.state in (LinkState.CREATING, LinkState.PAUSED, LinkState.ASK):
        yield f"(f) link {_name(link)} is still {link.state}: {link.reason_text}"
    if link.state is LinkState.WAITING and link.waits_for is not None:
        parent = by_entity.get((link.origin, link.waits_for))
        if parent is not None and parent.link.entity_id(link.origin.other) is not None:
            yield f"(f) link {_name(link)} waits for {link.waits_for}, which is linked"


def _diverged(evidence: Evidence, link: Link, by_entity: dict[tuple[Side, EntityId], LinkView]) -> Iterator[str]:
    if link.state is not LinkState.ACTIVE or link.jira_id is None or link.craft_id is None:
        return
    jira, craft = (evidence.people.view(Side.JIRA, link.jira_id), evidence.people.view(Side.CRAFT, link.craft_id))
    if jira is None or craft is None:
        yield f"(a) link {_name(link)} is active, but an item of it is gone"
        return
    known = {
        (side, entity_id): other
        for (side, entity_id), view in by_entity.items()
        if (other := view.link.entity_id(side.other)) is not None
    }
    parents = Parents(known, evidence.integration.craft_root)
    for pair in evidence.integration.pairs:
        if pair.id not in jira or pair.id not in craft or pair.id in link.open_conflicts:
            continue
        if pair.direction is Direction.ONCE or any(link.side(s).pair(pair.id).blocked for s in Side):
            continue
        if not equivalent(pair, jira[pair.id], craft[pair.id], parents):
            yield f"(a) link {_name(link)} differs in {pair.id}: Jira {jira[pair.id]!r}, Craft {craft[pair.id]!r}"


def _counterparts(evidence: Evidence, by_entity: dict[tuple[Side, EntityId], LinkView]) -> Iterator[str]:
    counts = Counter(
        (side, entity_id)
        for view in evidence.views
        for side in Side
        if (entity_id := view.link.entity_id(side)) is not None
    )
    for (side, entity_id), count in counts.items():
        if count > 1:
            yield f"(c) {side} {entity_id} is in {count} links"
    for side, entity_id in _made_by_us(evidence):
        if (side, entity_id) not in by_entity:
            yield f"(c) {side} {entity_id} was created by Tandem and is in no link: a duplicate"
    for side, entity_id in evidence.people.created:
        view = by_entity.get((side, entity_id))
        if view is None:
            if evidence.people.snapshot(side, entity_id) is not None:
                yield f"(f) {side} {entity_id} was created by a person and is in no link"
        elif view.link.entity_id(side.other) is None and view.link.state in (LinkState.EXCLUDED,):
            if view.link.reason != Cause.TYPE_NOT_MAPPED:
                yield f"(f) {side} {entity_id} has no counterpart: {view.link.reason_text}"


def _made_by_us(evidence: Evidence) -> Iterator[tuple[Side, EntityId]]:
    us = evidence.jira.world.account_by_email(SYNC_EMAIL).account_id
    for issue_id in evidence.jira.world.issues:
        snapshot = evidence.people.snapshot(Side.JIRA, EntityId(issue_id))
        if snapshot is not None and snapshot["fields"]["creator"]["accountId"] == us:
            yield Side.JIRA, EntityId(issue_id)
    items = evidence.craft.state()["items"]
    assert isinstance(items, list)
    for item in items:
        if item["createdBy"]["name"] == SYNC_KEY.name:
            yield Side.CRAFT, EntityId(item["id"])


def _lost_edits(evidence: Evidence, by_entity: dict[tuple[Side, EntityId], LinkView]) -> Iterator[str]:
    last: dict[tuple[Side, EntityId, PairId], Edit] = {}
    for edit in evidence.people.edits:
        last[(edit.side, edit.entity_id, edit.pair)] = edit
    for edit in last.values():
        view, pair = by_entity.get((edit.side, edit.entity_id)), evidence.integration.pair(edit.pair)
        if view is None or pair is None or pair.kind is FieldKind.STATUS:
            continue
        if not _accounted_for(evidence, edit, view, pair):
            yield (
                f"(b) the edit {edit.value!r} of {edit.pair} in {edit.side} {edit.entity_id} at {edit.at_s:.1f} "
                f"is silently gone (link {_name(view.link)})"
            )


def _accounted_for(evidence: Evidence, edit: Edit, view: LinkView, pair: FieldPair) -> bool:
    shown = evidence.people.view(edit.side, edit.entity_id)
    if shown is None or same(pair.kind, shown.get(pair.id), edit.value):
        return True
    for note in view.conflicts:
        kept = note.jira_value if edit.side is Side.JIRA else note.craft_value
        if note.pair == pair.id and same(pair.kind, kept, edit.value):
            return True
    if any(n.pair == pair.id and n.side is edit.side and same(pair.kind, n.value, edit.value) for n in view.history):
        return True
    return _replaced_by_a_later_edit(evidence, edit, view.link, pair) or _in_window(evidence, edit, pair)


def _replaced_by_a_later_edit(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    for later in evidence.people.edits:
        if later.pair != pair.id or later.at_s < edit.at_s or link.entity_id(later.side) != later.entity_id:
            continue
        if later is edit:
            continue
        if later.side is edit.side:
            if same(pair.kind, later.replaced, edit.value):
                return True
        else:
            jira, craft = (edit.value, later.replaced) if edit.side is Side.JIRA else (later.replaced, edit.value)
            if equivalent(pair, jira, craft):
                return True
    return False


def _in_window(evidence: Evidence, edit: Edit, pair: FieldPair) -> bool:
    """Tell whether the edit fell between the read and the landing of one attempt to write that field in Craft.io (W1)."""
    if edit.side is not Side.CRAFT:
        return False
    base = evidence.craft.account.base_url
    for put in evidence.network.calls:
        if put.site != base or put.method != "PUT" or put.done_s < edit.at_s or not _writes(put, edit, pair):
            continue
        for get in evidence.network.calls:
            if get.site == base and get.method == "GET" and get.path == f"/item/{edit.entity_id}":
                if get.done_s <= edit.at_s and 0 <= put.sent_s - get.done_s <= GET_TO_PUT_S:
                    return True
    return False


def _writes(put: Call, edit: Edit, pair: FieldPair) -> bool:
    body = body_of(put)
    return isinstance(body, dict) and body.get("id") == edit.entity_id and read(Side.CRAFT, pair, body) is not None


def _name(link: Link) -> str:
    return f"{link.id[:6]} (Jira {link.jira_id}, Craft {link.craft_id})"


def value_text(value: Json) -> str:
    """Return a value as it is printed in histories."""
    return json.dumps(value, ensure_ascii=False)
