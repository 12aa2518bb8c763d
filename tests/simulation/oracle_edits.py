"""Whether any person's edit is silently gone: the part of the oracle that is about (b) of PROTOCOL section 3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from services.mapper.domain.reasons import REPLACED_BY_RESTORE
from shared.domain.ids import EntityId, PairId, Side
from shared.domain.kinds import SETS
from shared.domain.link import Json, Link, LinkState, OperationKind
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Policy
from shared.fields import Translated, translate
from shared.richtext.forms import words
from shared.store.port import LinkView
from tests.simulation.evidence import Evidence, name_of
from tests.simulation.network import Call, body_of
from tests.simulation.people import Edit
from tests.simulation.process import EPOCH
from tests.simulation.timeline import Moment, moments, never_seen_to_leave, sent, taken_away, was_common

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
        view, pair = evidence.by_entity.get((edit.side, edit.entity_id)), _pair_of(evidence.integration, edit)
        if view is None or pair is None or pair.kind is FieldKind.LINKS or pair.kind in SETS:
            continue
        if not _accounted_for(evidence, edit, view, pair):
            yield (
                f"(b) the edit {edit.value!r} of {edit.pair} in {edit.side} {edit.entity_id} at {edit.at_s:.1f} "
                f"is silently gone (link {name_of(view.link)})"
            )


def _pair_of(mapping: Integration, edit: Edit) -> FieldPair | None:
    """Return the pair that an edited field is in: the same one as then, where several share the field."""
    found = [p for p in mapping.pairs if p.name_on(edit.side) == edit.vendor_field]
    return next((p for p in found if p.id == edit.pair), found[0] if found else None)


def _accounted_for(evidence: Evidence, edit: Edit, view: LinkView, pair: FieldPair) -> bool:
    shown, values = evidence.people.view(edit.side, edit.entity_id), edit.set_to(pair)

    def is_it(value: Json) -> bool:
        return any(evidence.same(pair, value, each) for each in values)

    if shown is None or is_it(shown.get(pair.id)):
        return True
    if taken_away(evidence, pair, edit.value) or _always_empty(evidence, edit, view.link, pair):
        return True
    if pair.kind is FieldKind.RICH_TEXT and _restored_in_words(edit, view.link, pair):
        return True
    names = _names(evidence, edit)
    for note in view.conflicts:
        kept = note.jira_value if edit.side is Side.JIRA else note.craft_value
        if note.pair in names and is_it(kept):
            return True
    if any(line.pair in names and line.side is edit.side and is_it(line.value) for line in view.history):
        return True
    return _replaced_knowingly(evidence, edit, view.link, pair) or in_window(evidence, edit, view.link, pair)


def _restored_in_words(edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether a document was restored as Jira's changelog tells it: its words, without what only ADF can hold."""
    restores = (op for op in link.operations if op.kind is OperationKind.RESTORE and op.target is edit.side)
    return any(pair.id in op.pairs and words(op.pairs[pair.id].value) == words(edit.value) for op in restores)


def _always_empty(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether a person emptied a field of which Tandem had never seen anything else: before it was linked."""
    seen = evidence.witness.seen((link.id, edit.side, pair.id), 0.0, edit.at_s)
    return edit.value in (None, []) and all(value in (None, []) for value in seen)


def _names(evidence: Evidence, edit: Edit) -> set[PairId]:
    """Return the pairs that an edited field was ever in: what was put on record may be under any of them."""
    mapped = [pair for _, saved in evidence.people.saved for pair in saved.pairs]
    return {pair.id for pair in mapped if pair.name_on(edit.side) == edit.vendor_field} | {edit.pair}


def _replaced_knowingly(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether whoever replaced a value knew it: a person who saw it, or a write of what came after it.

    A write comes after it if this very value is what both sides had last in common: it had been carried over, or both
    showed the same, and the other side moved on from there. Values are compared, not times: one that left and came back
    before anything else was agreed on has never changed.
    """
    meanings = [pair, *(then for _, saved in evidence.people.saved if (then := _pair_of(saved, edit)) is not None)]
    return any(
        _replaced_under(evidence, edit, link, meaning)
        for number, meaning in enumerate(meanings)
        if meaning not in meanings[:number]
    )


def _replaced_under(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether a value was replaced knowingly while its field had this meaning; what was common is told by it."""
    history, mine, replacing = _replacement(evidence, edit, link, pair)
    if replacing is None:
        return False
    opened_s = _opened(evidence, link, pair, replacing) if replacing.edit is None else 0.0
    # a write may land when the mapping is another one already: what counts is the one that it was decided by
    decided = _pair_of(evidence.people.mapping_at(opened_s or replacing.at_s), edit)
    if decided is not None and decided.fields_since != pair.fields_since:
        return False  # what was agreed on under an older meaning of the same two fields stands (ADR 0027)
    if replacing.edit is not None or was_common(evidence, link, pair, history, mine, replacing.at_s):
        return True
    before = _last_shown(evidence, pair, history, mine, opened_s)
    return (
        before is not None
        and (before is mine or never_seen_to_leave(evidence, link, pair, before, replacing.at_s))
        and was_common(evidence, link, pair, history, before, opened_s)
    )


def _opened(evidence: Evidence, link: Link, pair: FieldPair, write: Moment) -> float:
    """Return when the operation was decided that a write belongs to: what came after that it could not know."""
    opened = [
        (op.created_at - EPOCH).total_seconds()
        for op in link.operations
        if op.target is write.side and pair.id in op.pairs and evidence.same(pair, op.pairs[pair.id].value, write.value)
    ]
    return max((at_s for at_s in opened if at_s < write.at_s), default=0.0)


def _last_shown(
    evidence: Evidence, pair: FieldPair, history: list[Moment], mine: Moment, until_s: float
) -> Moment | None:
    """Return the last time before another that a side came to show the same value, which may be this very one."""
    earlier = [m for m in history if m.side is mine.side and m.at_s < until_s]
    return next((m for m in reversed(earlier) if evidence.same(pair, m.value, mine.value)), None)


def _replacement(
    evidence: Evidence, edit: Edit, link: Link, pair: FieldPair
) -> tuple[list[Moment], Moment, Moment | None]:
    """Return all that a pair showed, the last moment in which the value of an edit was shown (it may have been
    restored), and the one in which something else took its place.
    """
    history = moments(evidence, link, pair)
    at = next(number for number, moment in enumerate(history) if moment.edit is edit)
    since = [moment for moment in history[at:] if moment.side is edit.side]
    shown = [number for number, moment in enumerate(since) if evidence.same(pair, moment.value, since[0].value)]
    later = since[shown[-1] + 1 :]
    return history, since[shown[-1]], later[0] if later else None


def in_window(evidence: Evidence, edit: Edit, link: Link, pair: FieldPair) -> bool:
    """Tell whether an edit fell between the read and the landing of one attempt to write that field (W1).

    Only one that Tandem had not seen when the write landed: otherwise it knows what was replaced.
    """
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
            seen = evidence.witness.seen((link.id, edit.side, pair.id), edit.at_s, put.done_s)
            return not any(evidence.same(pair, value, edit.value) for value in seen)
    return False


def _writes(put: Call, edit: Edit, pair: FieldPair) -> bool:
    body = body_of(put)
    return isinstance(body, dict) and body.get("id") == edit.entity_id and sent(Side.CRAFT, pair, body) is not None


def older_wins(evidence: Evidence) -> Iterator[str]:
    """Under `latest` the last edit is shown on both sides, or a person is asked, wherever the times tell (F17)."""
    for view in evidence.views:
        link = view.link
        if link.state is not LinkState.ACTIVE:
            continue
        for pair in evidence.integration.pairs:
            if pair.kind in SETS:
                continue
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
        if link.entity_id(edit.side) == edit.entity_id and _pair_of(evidence.integration, edit) is pair
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
    if record.blocked is not None or in_window(evidence, newest, view.link, pair):
        return True
    if _replaced_knowingly(evidence, newest, view.link, pair):
        return True
    history, mine, _ = _replacement(evidence, newest, view.link, pair)
    before = _last_shown(evidence, pair, history, mine, mine.at_s)
    if before is not None and never_seen_to_leave(evidence, view.link, pair, before, mine.at_s):
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
            shown = sent(side, pair, body)
            if shown is None or shown.value not in (None, []) or view is None or pair.kind is FieldKind.PARENT:
                continue
            source = view.link.entity_id(side.other)
            edits = [e for e in evidence.people.edits if e.entity_id in (source, entity_id)]
            filled = [e for e in edits if e.entity_id == source and e.pair == pair.id]
            both = [e for e in edits if e.vendor_field == pair.name_on(e.side)]  # under whatever pair it was then
            if any(_means_nothing(evidence, pair, edit) for edit in both):
                continue
            if pair.id == "title" or any(edit.at_s < call.sent_s - SEEN_S for edit in filled):
                yield f"(b) Tandem emptied {pair.id} of {side} {entity_id} at {call.done_s:.1f}; nobody had asked"


def _means_nothing(evidence: Evidence, pair: FieldPair, edit: Edit) -> bool:
    """Tell whether a person emptied the field, or chose what the mapping turns into nothing."""
    over = translate(pair, edit.side, edit.value, evidence.parents)
    return edit.value in (None, []) or (isinstance(over, Translated) and over.value in (None, []))
