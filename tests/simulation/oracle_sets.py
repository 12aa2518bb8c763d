"""What must be true of sets once everybody is quiet: they are merged element by element, so that no element is silently
gone and none comes back that a person removed. Asked of each element by itself, independent of what Tandem believes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.domain.ids import Side
from shared.domain.kinds import SETS
from shared.domain.link import Json, Link, LinkState
from shared.domain.mapping import FieldPair
from shared.fields import crosswalk
from shared.store.port import LinkView
from tests.simulation.evidence import Evidence, name_of
from tests.simulation.oracle_edits import in_window
from tests.simulation.people import Edit


def lost_elements(evidence: Evidence) -> Iterator[str]:
    """Yield each element whose last edit, by whomever and on either side, is not what its side shows."""
    for pair in evidence.integration.pairs:
        if pair.kind not in SETS or _meant_otherwise(evidence, pair):
            continue
        for view in evidence.views:
            if view.link.state is LinkState.ACTIVE:
                yield from _of_link(evidence, view, pair)


def _of_link(evidence: Evidence, view: LinkView, pair: FieldPair) -> Iterator[str]:
    edits = edits_of(evidence, view.link, pair)
    for side in Side:
        entity = view.link.entity_id(side)
        shown = evidence.people.view(side, entity) if entity is not None else None
        if shown is None or pair.id not in shown:
            continue
        for element in sorted({each for edit in edits if edit.side is side for each in touched(edit)}):
            wanted = _wanted(evidence, pair, edits, side, element)
            if wanted is None or wanted is (element in (shown[pair.id] or ())) or _on_record(view, pair, side, element):
                continue
            last = next(edit for edit in reversed(edits) if edit.side is side and element in touched(edit))
            if in_window(evidence, last, view.link, pair):
                continue
            fate = "is silently gone" if wanted else "came back"
            yield f"(b) {element!r} of {pair.id} in {side} {entity} {fate} (link {name_of(view.link)})"


def edits_of(evidence: Evidence, link: Link, pair: FieldPair) -> list[Edit]:
    """Return what people did to a set on both sides, in order."""
    return [
        edit
        for edit in evidence.people.edits
        if link.entity_id(edit.side) == edit.entity_id and edit.vendor_field == pair.name_on(edit.side)
    ]


def touched(edit: Edit) -> Mapping[str, bool]:
    """Return the elements that an edit added (True) or removed."""
    before, after = set(edit.replaced or ()), set(edit.value or ())
    return {each: each in after for each in before ^ after}


def _wanted(evidence: Evidence, pair: FieldPair, edits: list[Edit], side: Side, element: str) -> bool | None:
    """Return whether an element is to be there; None where people wanted different things of it, on different sides."""
    walk = crosswalk(pair, evidence.parents)
    here: list[bool] = []
    there: list[bool] = []
    for edit in edits:
        for each, added in touched(edit).items():
            if edit.side is side and each == element:
                here.append(added)
            elif edit.side is side:
                # another that stands for the same: removed with it, or a reason to stay
                if walk.images(side, each) & walk.images(side, element):
                    there.append(added)
            elif walk.partners(edit.side, each, [element]):
                there.append(added)
    return here[-1] if here and all(each is here[-1] for each in there) else None


def _on_record(view: LinkView, pair: FieldPair, side: Side, element: str) -> bool:
    return any(
        line.pair == pair.id and line.side is side and element in (line.value or ())
        for line in view.history
        if isinstance(line.value, list)
    )


def _meant_otherwise(evidence: Evidence, pair: FieldPair) -> bool:
    """Tell whether the pair, or its fields, were mapped otherwise at any time."""
    meanings = [each for _, saved in evidence.people.saved for each in saved.pairs]
    beside = [each for each in meanings if each.id == pair.id or pair.jira == each.jira or pair.craft == each.craft]
    return any(each.since != pair.since or each.id != pair.id for each in beside)


def left_alone(evidence: Evidence, link: Link, pair: FieldPair, shown: Mapping[Side, Json]) -> bool:
    """Tell whether two sets differ only in what the mapping does not carry, or what a person removed where a field is
    only carried to.
    """
    walk = crosswalk(pair, evidence.parents)
    held = {side: frozenset[str](shown[side] or ()) for side in Side}
    removed = {
        side: {
            each
            for edit in edits_of(evidence, link, pair)
            if edit.side is side
            for each, added in touched(edit).items()
            if not added
        }
        for side in Side
    }
    for side in Side:
        if not pair.direction.carries_to(side.other):
            continue
        for each in walk.alone(side, held[side], held[side.other]):
            gone = not pair.direction.carries_to(side) and walk.partners(side, each, removed[side.other])
            if walk.images(side, each) and not gone:
                return False
    return True
