"""What must be true once everybody is quiet.

Converged or in conflict, one counterpart each, no edit silently gone, nothing in flight. Letters as in PROTOCOL
section 3: (a) not converged, (b) an edit lost, (c) more than one counterpart, (d) a write after quiet, (f) stuck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import inf

from sandbox.craft.settings import SYNC_KEY
from sandbox.jira.site import SYNC_EMAIL
from services.mapper.domain.blocked import block_hash
from shared.domain.ids import EntityId, Side
from shared.domain.kinds import SETS
from shared.domain.link import Json, Link, LinkState
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.messages.status import Cause
from shared.writing.ports import Timing
from tests.simulation.evidence import Evidence, name_of
from tests.simulation.network import Call, body_of
from tests.simulation.oracle_edits import emptied, lost_edits, older_wins
from tests.simulation.oracle_links import broken_links
from tests.simulation.oracle_sets import left_alone, lost_elements
from tests.simulation.timeline import moments, taken_away, was_common
from tests.simulation.wiring import LONGEST_INDEX_LAG_S

HTTP_BAD = 400


def violations(evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong, each in one line."""
    for view in evidence.views:
        yield from _in_flight(evidence, view.link)
        yield from _diverged(evidence, view.link)
    yield from _counterparts(evidence)
    yield from _wrong_way(evidence)
    yield from broken_links(evidence)
    yield from _thought_gone(evidence)
    yield from lost_edits(evidence)
    yield from lost_elements(evidence)
    yield from older_wins(evidence)
    yield from emptied(evidence)
    for call in evidence.network.writes_since(evidence.quiet_since_s):
        yield f"(d) a write after quiet: {call.method} {call.path} at {call.done_s:.1f}"


def _in_flight(evidence: Evidence, link: Link) -> Iterator[str]:
    if link.op_id is not None and link.state in (LinkState.ACTIVE, LinkState.CREATING):
        yield f"(f) link {name_of(link)} still has {link.op_id} in flight, state {link.state}"
    for side in Side:
        if link.side(side).dirty and link.state is LinkState.ACTIVE:
            yield f"(f) link {name_of(link)} is still dirty on {side}"
    if link.state in (LinkState.CREATING, LinkState.PAUSED, LinkState.ASK):
        yield f"(f) link {name_of(link)} is still {link.state}: {link.reason_text}"
    if link.state is LinkState.WAITING and link.waits_for is not None:
        parent = evidence.by_entity.get((link.origin, link.waits_for))
        if parent is not None and parent.link.entity_id(link.origin.other) is not None:
            yield f"(f) link {name_of(link)} waits for {link.waits_for}, which is linked"


def _thought_gone(evidence: Evidence) -> Iterator[str]:
    """No item that people see was ever taken for a deleted one: what is told late or wrongly is asked about first."""
    for side, entity in sorted(evidence.witness.deleted):
        if evidence.people.snapshot(side, entity) is not None:
            yield f"(f) {side} {entity} was taken for deleted, and is there"


def _diverged(evidence: Evidence, link: Link) -> Iterator[str]:
    if link.state is not LinkState.ACTIVE or link.jira_id is None or link.craft_id is None:
        return
    jira, craft = (evidence.people.view(Side.JIRA, link.jira_id), evidence.people.view(Side.CRAFT, link.craft_id))
    if jira is None or craft is None:
        yield f"(a) link {name_of(link)} is active, but an item of it is gone"
        return
    for pair in evidence.integration.pairs:
        if pair.id not in jira or pair.id not in craft or pair.id in link.open_conflicts:
            continue
        if pair.direction is Direction.ONCE or pair.kind is FieldKind.LINKS:
            continue
        shown = {Side.JIRA: jira[pair.id], Side.CRAFT: craft[pair.id]}
        if not _alike(evidence, link, pair, shown) and not _says_why(evidence, link, pair, shown):
            yield f"(a) link {name_of(link)} differs in {pair.id}: Jira {jira[pair.id]!r}, Craft {craft[pair.id]!r}"


def _alike(evidence: Evidence, link: Link, pair: FieldPair, shown: dict[Side, Json]) -> bool:
    """Tell whether both sides show the same, or the target of a one-way pair what a person set there since.

    Such an edit stays until the source changes; so the source must still show what both had in common before it.
    """
    if evidence.equivalent(pair, shown[Side.JIRA], shown[Side.CRAFT]):
        return True
    if pair.kind in SETS:
        return left_alone(evidence, link, pair, shown)
    if pair.direction is Direction.BOTH:
        return False
    target = Side.CRAFT if pair.direction is Direction.TO_CRAFT else Side.JIRA
    history = moments(evidence, link, pair)
    born_s = min((moment.at_s for moment in history if moment.side is target), default=inf)
    if (
        link.origin is not target
        and all(m.first or m.left_out or (m.side is not target and m.at_s < born_s) for m in history)
        and not shown[target.other]
    ):
        return True  # nobody has set it since: the target fills in what the new item was created without
    left = [moment for moment in history if moment.side is target]
    source = [moment for moment in history if moment.side is not target]
    if all(moment.first or moment.left_out for moment in source) and not shown[target.other]:
        return True  # nobody has said anything yet on the side that leads: made by Tandem, or joined while it was empty
    (_, ours), (_, theirs) = (evidence.witness.base((link.id, side, pair.id), inf) for side in (target, target.other))
    if ours is not None and taken_away(evidence, pair, ours.value) and shown[target] is None:
        return theirs is not None and evidence.same(pair, theirs.value, shown[target.other])
    if not left or not source or not evidence.same(pair, source[-1].value, shown[target.other]):
        return False
    if not any(moment.edit is not None and evidence.same(pair, moment.value, left[-1].value) for moment in left):
        return False
    if was_common(evidence, link, pair, history, source[-1]):
        return True
    # the source may have left what both agreed on, and come back to it
    had_been = {target: left[0].value, target.other: shown[target.other]}
    came_back = theirs is not None and evidence.same(pair, theirs.value, shown[target.other])
    return came_back and evidence.equivalent(pair, had_been[Side.JIRA], had_been[Side.CRAFT])


def _says_why(evidence: Evidence, link: Link, pair: FieldPair, shown: dict[Side, Json]) -> bool:
    """Tell whether the item says in words why the very value that a side shows now is not carried over."""
    revision = evidence.integration.revision
    return any(
        (blocked := link.side(side).pair(pair.id).blocked) is not None
        and pair.direction.carries_to(side.other)
        and blocked.message != ""
        and (pair.kind in SETS or blocked.value_hash == block_hash(shown[side], revision))
        for side in Side
    )


def _wrong_way(evidence: Evidence) -> Iterator[str]:
    """No field is ever updated towards which no revision of the mapping carries anything: one-way, once, unmapped."""
    allowed: dict[Side, set[str]] = {side: set() for side in Side}
    for _, saved in evidence.people.saved:
        for side in Side:
            allowed[side] |= {pair.name_on(side) for pair in saved.pairs if pair.direction.carries_to(side)}
    for call in evidence.network.calls:
        side = Side.JIRA if call.site == evidence.jira.world.base_url else Side.CRAFT
        for name in sorted(_updated(side, call) - allowed[side]):
            yield f"(b) Tandem changed {name} in {side} at {call.done_s:.1f}; nothing is carried over that way"


def _updated(side: Side, call: Call) -> set[str]:
    """Return the fields that an update set, by the names that pairs have for them."""
    body = body_of(call)
    if not isinstance(body, dict) or call.status >= HTTP_BAD:
        return set()
    if side is Side.JIRA:
        moved = call.method == "POST" and call.path.endswith("/transitions")
        fields = {*body.get("fields", ()), *body.get("update", ())} if call.method == "PUT" else set()
        return fields | ({"status"} if moved else set())
    custom = {f"custom:{entry['id']}" for entry in body.get("customFields", ())}
    return (body.keys() - {"id", "customFields"}) | custom if call.method == "PUT" else set()


def _counterparts(evidence: Evidence) -> Iterator[str]:
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
        view = evidence.by_entity.get((side, entity_id))
        if view is None:
            if (side, entity_id) in evidence.flagged and _orphans_possible(evidence, side):
                continue
            if _is_late_create(evidence, side, entity_id):
                continue
            yield f"(c) {side} {entity_id} was created by Tandem and is in no link: a duplicate"
        elif view.link.successors:
            continue  # left alone when a person linked its counterpart with another item
        elif view.link.origin is side and view.link.entity_id(side.other) not in {
            e for _, e in evidence.people.created
        }:
            yield f"(c) {side} {entity_id} was created by Tandem and got a counterpart of its own"
    for side, entity_id in evidence.people.created:
        view = evidence.by_entity.get((side, entity_id))
        if view is None:
            if evidence.people.snapshot(side, entity_id) is not None:
                yield f"(f) {side} {entity_id} was created by a person and is in no link"
        elif view.link.entity_id(side.other) is None and view.link.state is LinkState.EXCLUDED:
            # what no vendor accepts under its parent is not created flat (DESIGN 7): its status names the parent
            orphan = view.link.reason == Cause.REJECTED and "parent" in (view.link.reason_text or "")
            if view.link.reason != Cause.TYPE_NOT_MAPPED and not orphan:
                yield f"(f) {side} {entity_id} has no counterpart: {view.link.reason_text}"


def _orphans_possible(evidence: Evidence, side: Side) -> bool:
    """Tell whether an item was deleted while its counterpart on `side` was being created: that one is flagged then."""
    return any(
        view.link.state is LinkState.GONE and view.link.entity_id(side) is None and view.link.origin is side.other
        for view in evidence.views
    )


def _is_late_create(evidence: Evidence, side: Side, entity_id: EntityId) -> bool:
    """Tell whether an item is what PROTOCOL W4 leaves: its request landed late, and it is flagged with both ids."""
    link_id = evidence.flagged.get((side, entity_id))
    linked = next((view.link.entity_id(side) for view in evidence.views if view.link.id == link_id), None)
    if linked in (None, entity_id):
        return False
    return any(call.made == entity_id and landed_late(call) for call in evidence.network.calls)


def landed_late(call: Call) -> bool:
    """Tell whether a create took effect only when it had long been allowed to create anew (PROTOCOL, Create 3).

    Counted from when its process gave it away, which is never before `post_started_at`.
    """
    allowed_s = Timing().request_life.total_seconds() + LONGEST_INDEX_LAG_S
    return call.done_s > call.asked_s + allowed_s


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
