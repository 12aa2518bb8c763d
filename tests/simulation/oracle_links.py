"""What must be true of links between items: the part of the oracle that is about pairs of kind links (ADR 0019).

A link is told by its type and its two ends, whichever of the two shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.ids import EntityId, Side
from shared.domain.link import LinkState
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.fields.links import INWARD, cross, parts_of
from shared.store.port import LinkView
from tests.simulation.evidence import Evidence, name_of

Tie = tuple[str, frozenset[EntityId] | tuple[EntityId, EntityId]]
"""Type of link, and its ends: source and target, or just two where both ways mean the same."""


def tie_of(issue_id: EntityId, entry: str) -> Tie:
    """Return the link that an issue's entry is."""
    relation, other = parts_of(entry)
    type_id, slash, way = relation.partition("/")
    if not slash:
        return type_id, frozenset((issue_id, other))
    return type_id, (other, issue_id) if way == INWARD else (issue_id, other)


def broken_links(evidence: Evidence) -> Iterator[str]:
    """Yield links that are missing, left behind, or a person's that Tandem took away."""
    pair = next((pair for pair in evidence.integration.pairs if pair.kind is FieldKind.LINKS), None)
    if pair is None or pair.direction is not Direction.TO_JIRA:
        return
    shown = _shown(evidence, pair)
    wanted = {tie: view for view in evidence.views for tie in _wanted(evidence, view, pair)}
    by_people, unlinked = _by_people(evidence, pair)
    for tie, view in wanted.items():
        if tie not in shown and tie not in unlinked and not _says_why(evidence, view, pair):
            yield f"(a) link {name_of(view.link)} lacks the issue link {tie}"
    if evidence.fate.revisions or evidence.fate.requests or evidence.fate.deletes:
        return  # what came from Craft.io under another mapping, or before items were kept apart, is anybody's
    for tie in shown - wanted.keys() - by_people:
        yield f"(a) the issue link {tie} is left behind: Craft.io has no such dependency"
    ever = _ever_wanted(evidence, pair)
    for tie in by_people - unlinked - shown - ever:
        yield f"(b) the issue link {tie} of a person is silently gone"


def _shown(evidence: Evidence, pair: FieldPair) -> set[Tie]:
    found: set[Tie] = set()
    for issue_id in evidence.people.entities(Side.JIRA):
        entries = (evidence.people.view(Side.JIRA, issue_id) or {}).get(pair.id) or ()
        found |= {tie_of(issue_id, entry) for entry in entries}
    return found


def _wanted(evidence: Evidence, view: LinkView, pair: FieldPair) -> Iterator[Tie]:
    link = view.link
    if link.state is not LinkState.ACTIVE or link.jira_id is None or link.craft_id is None:
        return
    item = evidence.people.view(Side.CRAFT, link.craft_id) or {}
    for entry in cross(pair, item.get(pair.id), evidence.parents.known).over.values():
        yield tie_of(link.jira_id, entry)


def _says_why(evidence: Evidence, view: LinkView, pair: FieldPair) -> bool:
    """Tell whether the item, or the one at the other end, was refused a link or has something to wait for."""
    return any(
        each.link.craft.pair(pair.id).blocked is not None
        or (each.status is not None and any(problem.pair == pair.id for problem in each.status.problems))
        for each in (view, *_others(evidence, view, pair))
    )


def _others(evidence: Evidence, view: LinkView, pair: FieldPair) -> Iterator[LinkView]:
    item = evidence.people.view(Side.CRAFT, view.link.craft_id or EntityId("")) or {}
    for entry in item.get(pair.id) or ():
        other = evidence.by_entity.get((Side.CRAFT, parts_of(entry)[1]))
        if other is not None:
            yield other


def _by_people(evidence: Evidence, pair: FieldPair) -> tuple[set[Tie], set[Tie]]:
    """Return what people linked in Jira, and what they unlinked there at any time."""
    linked: set[Tie] = set()
    unlinked: set[Tie] = set()
    for edit in evidence.people.edits:
        if edit.side is Side.JIRA and edit.vendor_field == pair.jira:
            before, after = ({tie_of(edit.entity_id, e) for e in value or ()} for value in (edit.replaced, edit.value))
            linked |= after - before
            unlinked |= before - after
    return linked, unlinked


def _ever_wanted(evidence: Evidence, pair: FieldPair) -> set[Tie]:
    """Return what Craft.io has ever asked for: what people take away there is taken away, whoever linked it."""
    found: set[Tie] = set()
    for edit in evidence.people.edits:
        view = evidence.by_entity.get((edit.side, edit.entity_id))
        if edit.side is Side.CRAFT and edit.vendor_field == pair.craft and view is not None and view.link.jira_id:
            over = cross(pair, [*(edit.replaced or ()), *(edit.value or ())], evidence.parents.known).over
            found |= {tie_of(view.link.jira_id, entry) for entry in over.values()}
    return found
