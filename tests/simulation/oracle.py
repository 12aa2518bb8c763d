"""What must be true once everybody is quiet: converged or in conflict, one counterpart each, no edit silently gone, nothing in flight.

Letters as in PROTOCOL section 3: (a) not converged, (b) an edit lost, (c) more than one counterpart, (d) a write after quiet, (f) stuck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.craft.settings import SYNC_KEY
from sandbox.craft.site import CraftSite
from sandbox.jira.site import SYNC_EMAIL, JiraSite
from shared.domain.ids import EntityId, Side
from shared.domain.link import Json, Link, LinkState
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Policy
from shared.fields import Present, equivalent, read, same
from shared.fields.translate import Parents
from shared.messages.status import Cause
from shared.store.port import LinkView
from tests.simulation.fate import Fate
from tests.simulation.network import MARK, Call, SimNetwork, body_of
from tests.simulation.people import Edit, People
from tests.simulation.process import EPOCH

WINDOW_S = 25.0
"""PROTOCOL W1: at most this long before a write of Craft.io lands can an edit be made that nobody has seen."""
TELLS_S = 1.5
"""Edits further apart than this can be told by their times, although clocks are coarse (PROTOCOL F17)."""

SEEN_S = 8.0
"""After this long an edit can no longer be unknown to what is being decided, in most seeds."""


@dataclass(slots=True)
class Evidence:
    """All that the oracle looks at."""

    jira: JiraSite
    craft: CraftSite
    integration: Integration
    people: People
    network: SimNetwork
    fate: Fate
    views: list[LinkView]
    quiet_since_s: float
    by_entity: dict[tuple[Side, EntityId], LinkView] = field(init=False)
    parents: Parents = field(init=False)

    def __post_init__(self) -> None:
        self.by_entity = {
            (side, entity_id): view
            for view in self.views
            for side in Side
            if (entity_id := view.link.entity_id(side)) is not None
        }
        known = {
            key: other for key, view in self.by_entity.items() if (other := view.link.entity_id(key[0].other)) is not None
        }
        self.parents = Parents(known, self.integration.craft_root)

    def same(self, pair: FieldPair, left: Json, right: Json) -> bool:
        """Tell whether two values of one side are the same, given how these vendors keep titles."""
        return same(pair.kind, *self._bare(pair, left, right))

    def equivalent(self, pair: FieldPair, jira: Json, craft: Json) -> bool:
        """Tell whether two values mean the same."""
        return equivalent(pair, *self._bare(pair, jira, craft), self.parents)

    def _bare(self, pair: FieldPair, left: Json, right: Json) -> tuple[Json, Json]:
        if not self.fate.normalises or pair.id != "title":
            return left, right
        return str(left or "").rstrip(MARK), str(right or "").rstrip(MARK)


def violations(evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong, each in one line."""
    for view in evidence.views:
        yield from _in_flight(evidence, view.link)
        yield from _diverged(evidence, view.link)
    yield from _counterparts(evidence)
    yield from _lost_edits(evidence)
    yield from _older_wins(evidence)
    yield from _emptied(evidence)
    for call in evidence.network.writes_since(evidence.quiet_since_s):
        yield f"(d) a write after quiet: {call.method} {call.path} at {call.done_s:.1f}"


def _in_flight(evidence: Evidence, link: Link) -> Iterator[str]:
    if link.op_id is not None and link.state in (LinkState.ACTIVE, LinkState.CREATING):
        yield f"(f) link {_name(link)} still has {link.op_id} in flight, state {link.state}"
    for side in Side:
        if link.side(side).dirty and link.state is LinkState.ACTIVE:
            yield f"(f) link {_name(link)} is still dirty on {side}"
    if link.state in (LinkState.CREATING, LinkState.PAUSED, LinkState.ASK):
        yield f"(f) link {_name(link)} is still {link.state}: {link.reason_text}"
    if link.state is LinkState.WAITING and link.waits_for is not None:
        parent = evidence.by_entity.get((link.origin, link.waits_for))
        if parent is not None and parent.link.entity_id(link.origin.other) is not None:
            yield f"(f) link {_name(link)} waits for {link.waits_for}, which is linked"


def _diverged(evidence: Evidence, link: Link) -> Iterator[str]:
    if link.state is not LinkState.ACTIVE or link.jira_id is None or link.craft_id is None:
        return
    jira, craft = (evidence.people.view(Side.JIRA, link.jira_id), evidence.people.view(Side.CRAFT, link.craft_id))
    if jira is None or craft is None:
        yield f"(a) link {_name(link)} is active, but an item of it is gone"
        return
    for pair in evidence.integration.pairs:
        if pair.id not in jira or pair.id not in craft or pair.id in link.open_conflicts:
            continue
        if pair.direction is Direction.ONCE or any(link.side(s).pair(pair.id).blocked for s in Side):
            continue
        if not evidence.equivalent(pair, jira[pair.id], craft[pair.id]):
            yield f"(a) link {_name(link)} differs in {pair.id}: Jira {jira[pair.id]!r}, Craft {craft[pair.id]!r}"


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
            yield f"(c) {side} {entity_id} was created by Tandem and is in no link: a duplicate"
        elif view.link.origin is side and view.link.entity_id(side.other) not in {e for _, e in evidence.people.created}:
            yield f"(c) {side} {entity_id} was created by Tandem and got a counterpart of its own"
    for side, entity_id in evidence.people.created:
        view = evidence.by_entity.get((side, entity_id))
        if view is None:
            if evidence.people.snapshot(side, entity_id) is not None:
                yield f"(f) {side} {entity_id} was created by a person and is in no link"
        elif view.link.entity_id(side.other) is None and view.link.state is LinkState.EXCLUDED:
            parent_gone = view.link.reason == Cause.REJECTED and evidence.people.deleted
            if view.link.reason != Cause.TYPE_NOT_MAPPED and not parent_gone:
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


def _lost_edits(evidence: Evidence) -> Iterator[str]:
    last: dict[tuple[Side, EntityId, str], Edit] = {}
    for edit in evidence.people.edits:
        last[(edit.side, edit.entity_id, edit.vendor_field)] = edit
    for edit in last.values():
        view, pair = evidence.by_entity.get((edit.side, edit.entity_id)), _pair_of(evidence, edit)
        if view is None or pair is None:
            continue
        if not _accounted_for(evidence, edit, view, pair):
            yield (
                f"(b) the edit {edit.value!r} of {edit.pair} in {edit.side} {edit.entity_id} at {edit.at_s:.1f} "
                f"is silently gone (link {_name(view.link)})"
            )


def _pair_of(evidence: Evidence, edit: Edit) -> FieldPair | None:
    """Return the pair that the edited field is in now."""
    return next((p for p in evidence.integration.pairs if p.name_on(edit.side) == edit.vendor_field), None)


def _accounted_for(evidence: Evidence, edit: Edit, view: LinkView, pair: FieldPair) -> bool:
    shown = evidence.people.view(edit.side, edit.entity_id)
    if shown is None or evidence.same(pair, shown.get(pair.id), edit.value):
        return True
    names = {pair.id, edit.pair}
    for note in view.conflicts:
        kept = note.jira_value if edit.side is Side.JIRA else note.craft_value
        if note.pair in names and evidence.same(pair, kept, edit.value):
            return True
    for line in view.history:
        if line.pair in names and line.side is edit.side and evidence.same(pair, line.value, edit.value):
            return True
    return _replaced_by_a_later_edit(evidence, edit, view.link, pair) or _in_window(evidence, edit, pair)


def _replaced_by_a_later_edit(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether a person saw this value, on either side, and changed it."""
    for later in evidence.people.edits:
        if later is edit or later.at_s < edit.at_s or link.entity_id(later.side) != later.entity_id:
            continue
        if later.side is edit.side:
            if later.vendor_field == edit.vendor_field and evidence.same(pair, later.replaced, edit.value):
                return True
        elif _pair_of(evidence, later) is pair or later.pair == edit.pair:
            jira, craft = (edit.value, later.replaced) if edit.side is Side.JIRA else (later.replaced, edit.value)
            if evidence.equivalent(pair, jira, craft):
                return True
    return False


def _in_window(evidence: Evidence, edit: Edit, pair: FieldPair) -> bool:
    """Tell whether an edit fell between the read and the landing of one attempt to write that field in Craft.io (W1)."""
    if edit.side is not Side.CRAFT:
        return False
    base = evidence.craft.account.base_url
    calls = [call for call in evidence.network.calls if call.site == base]
    for put in calls:
        if put.method != "PUT" or not 0 <= put.done_s - edit.at_s <= WINDOW_S or not _writes(put, edit, pair):
            continue
        reads = [
            call.done_s
            for call in calls
            if call.method == "GET" and call.by == put.by and call.done_s <= put.sent_s and edit.entity_id in call.path
        ]
        if reads and max(reads) <= edit.at_s:
            return True
    return False


def _writes(put: Call, edit: Edit, pair: FieldPair) -> bool:
    body = body_of(put)
    return isinstance(body, dict) and body.get("id") == edit.entity_id and _sent(Side.CRAFT, pair, body) is not None


def _sent(side: Side, pair: FieldPair, body: dict[str, Any]) -> Present | None:
    """Return what a write sets a pair to, None if it does not touch it."""
    ident = pair.craft.removeprefix("custom:")
    if side is Side.CRAFT and ident != pair.craft and all(e["id"] != ident for e in body.get("customFields", ())):
        return None
    if side is Side.JIRA and pair.jira not in body.get("fields", {}):
        return None
    return read(side, pair, body)


def _older_wins(evidence: Evidence) -> Iterator[str]:
    """Under `latest` the last edit is shown on both sides, or a person is asked, wherever the times tell (PROTOCOL F17)."""
    for view in evidence.views:
        link = view.link
        if link.state is not LinkState.ACTIVE:
            continue
        for pair in evidence.integration.pairs:
            if evidence.integration.policy_of(pair) is not Policy.LATEST or pair.direction is not Direction.BOTH:
                continue
            newest = _newest(evidence, link, pair)
            if newest is None or pair.id in link.open_conflicts or _excused(evidence, view, newest, pair):
                continue
            shown = evidence.people.view(newest.side, newest.entity_id)
            if shown is not None and not evidence.same(pair, shown.get(pair.id), newest.value):
                yield (
                    f"(b) latest: the newest edit {newest.value!r} of {pair.id} in {newest.side} at {newest.at_s:.1f} "
                    f"lost against an older one (link {_name(link)})"
                )


def _newest(evidence: Evidence, link: Link, pair: FieldPair) -> Edit | None:
    """Return the last edit of a pair, if it is clearly later than the last one of the other side."""
    edits = [
        edit
        for edit in evidence.people.edits
        if link.entity_id(edit.side) == edit.entity_id and _pair_of(evidence, edit) is pair
    ]
    if not edits:
        return None
    newest = max(edits, key=lambda edit: edit.at_s)
    others = [edit.at_s for edit in edits if edit.side is not newest.side]
    return newest if others and newest.at_s - max(others) > TELLS_S else None


def _excused(evidence: Evidence, view: LinkView, newest: Edit, pair: FieldPair) -> bool:
    """Tell whether something else than a wrong comparison of times explains it: a window, a late effect, a person's word."""
    if evidence.fate.steps_back or evidence.fate.revisions or evidence.fate.requests:
        return True
    record = view.link.side(newest.side).pair(pair.id)
    if record.blocked is not None or _in_window(evidence, newest, pair):
        return True
    return any(line.pair == pair.id and line.at > EPOCH + timedelta(seconds=newest.at_s) for line in view.history)


def _emptied(evidence: Evidence) -> Iterator[str]:
    """No write empties a field whose counterpart a person has filled, and nobody ever empties one (PROTOCOL F14)."""
    if evidence.fate.requests or evidence.fate.revisions:
        return  # joined and newly mapped fields may be empty on the side that wins
    for call in evidence.network.calls:
        body = body_of(call) if call.method == "PUT" else None
        if not isinstance(body, dict):
            continue
        side = Side.JIRA if call.site == evidence.jira.world.base_url else Side.CRAFT
        entity_id = EntityId(call.path.rpartition("/")[2] if side is Side.JIRA else str(body.get("id")))
        view = evidence.by_entity.get((side, entity_id))
        for pair in evidence.integration.pairs:
            shown = _sent(side, pair, body)
            if shown is None or shown.value not in (None, []) or view is None or pair.kind is FieldKind.PARENT:
                continue
            source = view.link.entity_id(side.other)
            filled = [e for e in evidence.people.edits if e.entity_id == source and e.pair == pair.id]
            if any(edit.at_s < call.sent_s - SEEN_S for edit in filled):
                yield f"(b) Tandem emptied {pair.id} of {side} {entity_id} at {call.done_s:.1f}, which nobody had asked for"


def _name(link: Link) -> str:
    return f"{link.id[:6]} (Jira {link.jira_id}, Craft {link.craft_id})"
