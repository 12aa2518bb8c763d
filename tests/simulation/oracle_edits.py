"""Whether any person's edit is silently gone: the part of the oracle that is about (b) of PROTOCOL section 3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from services.mapper.domain.decide import REPLACED_BY_RESTORE
from shared.domain.ids import EntityId, Side
from shared.domain.link import Link, LinkState
from shared.domain.mapping import Direction, FieldKind, FieldPair, Policy
from shared.fields import Present, read
from shared.store.port import LinkView
from tests.simulation.evidence import Evidence, name_of
from tests.simulation.network import Call, body_of
from tests.simulation.people import Edit
from tests.simulation.process import EPOCH

WINDOW_S = 25.0
"""PROTOCOL W1: at most this long before a write of Craft.io lands can an edit be made that nobody has seen."""
TELLS_S = {True: 2.5, False: 0.5}
"""Edits further apart than this can be told by their times; True: where a clock is coarse (PROTOCOL F17)."""

SEEN_S = 8.0
"""After this long an edit can no longer be unknown to what is being decided, in most seeds."""


def lost_edits(evidence: Evidence) -> Iterator[str]:
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
                f"is silently gone (link {name_of(view.link)})"
            )


def _pair_of(evidence: Evidence, edit: Edit) -> FieldPair | None:
    """Return the pair that the edited field is in now."""
    return next((p for p in evidence.integration.pairs if p.name_on(edit.side) == edit.vendor_field), None)


def _accounted_for(evidence: Evidence, edit: Edit, view: LinkView, pair: FieldPair) -> bool:
    shown = evidence.people.view(edit.side, edit.entity_id)
    if shown is None or evidence.same(pair, shown.get(pair.id), edit.value):
        return True
    if pair.kind is FieldKind.PARENT and any(entity == edit.value for _, entity in evidence.people.deleted):
        return True  # the vendor itself takes a deleted parent away
    names = {pair.id, edit.pair}
    for note in view.conflicts:
        kept = note.jira_value if edit.side is Side.JIRA else note.craft_value
        if note.pair in names and evidence.same(pair, kept, edit.value):
            return True
    for line in view.history:
        if line.pair in names and line.side is edit.side and evidence.same(pair, line.value, edit.value):
            return True
    return (
        _replaced_by_a_later_edit(evidence, edit, view.link, pair)
        or _back_and_forth(evidence, edit, view.link, pair)
        or _moved_on(evidence, edit, view.link, pair)
        or _in_window(evidence, edit, pair)
    )


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


def _back_and_forth(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether an edit only brought back a value that a write then expected: values are compared, not times."""
    before = [e for e in evidence.people.edits if e.at_s < edit.at_s and e.entity_id == edit.entity_id]
    returned = any(
        evidence.same(pair, value, edit.value)
        for earlier in before
        if earlier.vendor_field == edit.vendor_field
        for value in (earlier.replaced, earlier.value)
    )
    return returned and any(
        op.target is edit.side
        and (write := op.pairs.get(pair.id)) is not None
        and evidence.same(pair, write.expect, edit.value)
        for op in link.operations
    )


def _moved_on(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether a write replaced this value with what a person on the other side had made of the same value there.

    Both had come to mean the same (a status, one of few), and one moved on from it: whose clock was first by a moment
    does not matter, since values are compared, not times.
    """
    theirs = [
        other
        for other in evidence.people.edits
        if other.side is not edit.side
        and link.entity_id(other.side) == other.entity_id
        and _pair_of(evidence, other) is pair
    ]
    left = [
        evidence.equivalent(
            pair, *((edit.value, other.replaced) if edit.side is Side.JIRA else (other.replaced, edit.value))
        )
        for other in theirs
    ]
    onward = theirs[left.index(True) :] if True in left else []
    return any(
        op.target is edit.side
        and (write := op.pairs.get(pair.id)) is not None
        and evidence.same(pair, write.expect, edit.value)
        and any(evidence.same(pair, write.source, other.value) for other in onward)
        for op in link.operations
    )


def _in_window(evidence: Evidence, edit: Edit, pair: FieldPair) -> bool:
    """Tell whether an edit fell between the read and the landing of one attempt to write that field (W1)."""
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


def older_wins(evidence: Evidence) -> Iterator[str]:
    """Under `latest` the last edit is shown on both sides, or a person is asked, wherever the times tell (F17)."""
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
                    f"lost against an older one (link {name_of(link)})"
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
    newest = edits[-1]  # in the order in which they were made: two may share a moment of virtual time
    others = [edit.at_s for edit in edits if edit.side is not newest.side]
    apart_s = TELLS_S[evidence.fate.coarse_jira or evidence.fate.coarse_craft]
    return newest if others and newest.at_s - max(others) > apart_s else None


def _excused(evidence: Evidence, view: LinkView, newest: Edit, pair: FieldPair) -> bool:
    """Tell whether something else than a wrong comparison of times explains it."""
    if evidence.fate.steps_back or evidence.fate.revisions or evidence.fate.requests:
        return True
    record = view.link.side(newest.side).pair(pair.id)
    if record.blocked is not None or _in_window(evidence, newest, pair):
        return True
    if _back_and_forth(evidence, newest, view.link, pair):
        return True  # a value that left and came back unseen has never changed
    after = EPOCH + timedelta(seconds=newest.at_s)
    lines = [line for line in view.history if line.pair == pair.id and line.at > after]
    return any(line.why != REPLACED_BY_RESTORE for line in lines)  # which edit is restored is up to their times, too


def emptied(evidence: Evidence) -> Iterator[str]:
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
            if pair.id == "title" or any(edit.at_s < call.sent_s - SEEN_S for edit in filled):
                yield f"(b) Tandem emptied {pair.id} of {side} {entity_id} at {call.done_s:.1f}; nobody had asked"
