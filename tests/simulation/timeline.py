"""What each field of an item held and when, pieced together from what people did and what reached the vendors.

Made only where the oracle has to judge an edit; independent of what Tandem believes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

from sandbox.jira.catalog import STATUSES
from shared.domain.ids import EntityId, Side
from shared.domain.link import Json, Link
from shared.domain.mapping import FieldKind, FieldPair, Shape
from shared.fields import Present, read, same
from tests.simulation.evidence import Evidence
from tests.simulation.network import Call, body_of
from tests.simulation.people import Edit


@dataclass(frozen=True, slots=True)
class Moment:
    """One value that a side came to show for a pair."""

    at_s: float
    side: Side
    value: Json
    edit: Edit | None = None
    """The person's edit that set it; None: a write of Tandem's."""
    first: bool = False
    """Whether the item began with it."""
    left_out: bool = False
    """Whether a create of Tandem's left the field empty."""


def sent(side: Side, pair: FieldPair, body: dict[str, Any]) -> Present | None:
    """Return what a write sets a pair to, None if it does not touch it."""
    ident = pair.craft.removeprefix("custom:")
    if side is Side.CRAFT and ident != pair.craft and all(e["id"] != ident for e in body.get("customFields", ())):
        return None
    if side is Side.JIRA and pair.jira not in body.get("fields", {}):
        emptied = pair.kind is FieldKind.PARENT and "parent" in body.get("update", {})
        return Present(None) if emptied else None
    if side is Side.JIRA and pair.shape_on(side) is Shape.SPRINT:  # read as a list, but written as one number
        number = body["fields"][pair.jira]
        return Present(None if number is None else str(number))
    return read(side, pair, body)


def moments(evidence: Evidence, link: Link, pair: FieldPair) -> list[Moment]:
    """Return all that both sides came to show for a pair, in order."""
    found: list[tuple[float, int, Moment]] = []
    for number, edit in enumerate(evidence.people.edits):
        if link.entity_id(edit.side) == edit.entity_id and edit.vendor_field == pair.name_on(edit.side):
            value = edit.set_to(pair)[-1]
            found.append((edit.at_s, number, Moment(edit.at_s, edit.side, value, edit)))
    for number, call in enumerate(evidence.network.calls):
        side = Side.JIRA if call.site == evidence.jira.world.base_url else Side.CRAFT
        entity = link.entity_id(side)
        shown = _written(evidence, side, entity, pair, call)
        if shown is not None:
            found.append((call.done_s, number, Moment(call.done_s, side, shown.value)))
        elif call.made is not None and call.made == entity and pair.kind is not FieldKind.STATUS:
            found.append((call.done_s, number, Moment(call.done_s, side, None, left_out=True)))
    ordered = [moment for *_, moment in sorted(found, key=lambda each: each[:2])]
    return _with_beginnings(evidence, ordered, link, pair)


def _with_beginnings(evidence: Evidence, later: list[Moment], link: Link, pair: FieldPair) -> list[Moment]:
    """Add what each side showed at first: what its first edit replaced, or what it still shows.

    Where a create of Tandem's left the field empty, that is what it carried over, and the default comes right after it.
    """
    whole = list(later)
    for side in Side:
        mine = [moment for moment in later if moment.side is side]
        empty = mine[0] if mine and mine[0].left_out else None
        first = next((moment for moment in mine if moment is not empty), None)
        entity = link.entity_id(side)
        at = whole.index(empty) + 1 if empty is not None else 0
        at_s = empty.at_s if empty is not None else 0.0
        if first is not None and first.edit is not None:
            whole.insert(at, Moment(at_s, side, first.edit.left(pair)[-1], first=True))
        elif first is not None and empty is None and evidence.people.has_made(side, entity):
            expected = _expected(link, pair, first)
            whole[at:at] = [] if expected is None else [Moment(at_s, side, expected.value, first=True)]
        elif first is None and entity is not None and (shown := evidence.people.view(side, entity)) is not None:
            whole.insert(at, Moment(at_s, side, shown.get(pair.id), first=True))
    return whole


def _expected(link: Link, pair: FieldPair, write: Moment) -> Present | None:
    """Return what the first write to an item was to replace, None if that is not known."""
    for op in link.operations:
        if op.target is write.side and pair.id in op.pairs and same(pair.kind, op.pairs[pair.id].value, write.value):
            return Present(op.pairs[pair.id].expect)
    return None


def _written(evidence: Evidence, side: Side, entity: EntityId | None, pair: FieldPair, call: Call) -> Present | None:
    """Return what a call set a pair of an item to, None if it did not."""
    if entity is None or call.status >= 300 or call.method not in ("PUT", "POST"):
        return None
    body = body_of(call)
    if not isinstance(body, dict):
        return None
    if call.method == "POST" and call.path.endswith(f"/issue/{entity}/transitions"):
        return _reached(evidence, entity, body) if pair.kind is FieldKind.STATUS and side is Side.JIRA else None
    about = call.made if call.method == "POST" else body.get("id") or call.path.rpartition("/")[2]
    return sent(side, pair, body) if about == entity else None


def _reached(evidence: Evidence, entity: EntityId, body: dict[str, Any]) -> Present | None:
    issue = evidence.jira.world.issues.get(entity)
    if issue is None:
        return None
    project = evidence.jira.world.projects[str(issue.values["project"])]
    wanted = body["transition"]["id"]
    step = next((step for step in project.transitions if step.id == wanted), None)
    return Present(STATUSES[step.to_status].id) if step is not None else None


def was_common(
    evidence: Evidence, link: Link, pair: FieldPair, history: list[Moment], shown: Moment, until_s: float = inf
) -> bool:
    """Tell whether a value that a side came to show was what both sides had in common, just before a time.

    Truly so: both showed the same at some time, or a write carried it over, and no write carried anything else over
    after that. And Tandem took it for agreed, under what the pair means now, when that time came.
    """
    side = shown.side
    since_s, base = evidence.witness.base((link.id, side, pair.id), until_s)
    if base is None or base.revision < pair.since or not evidence.same(pair, base.value, shown.value):
        return False
    before = [moment for moment in history if moment.at_s < until_s]
    if _had_been_common(evidence, link, pair, before, shown, since_s):
        return True
    common = False
    ours = not evidence.people.has_made(side, link.entity_id(side))
    holds: dict[Side, Json] = {}
    for number, moment in enumerate(before):
        found = moment.side in holds and evidence.same(pair, holds[moment.side], moment.value)
        if found and moment.edit is None and not moment.first:
            continue  # it found its value there already: what a person set is agreed on by no write
        holds[moment.side] = moment.value
        if len(holds) == len(Side) and evidence.equivalent(pair, holds[Side.JIRA], holds[Side.CRAFT]):
            common = common or evidence.same(pair, holds[side], shown.value)
        elif moment.first and moment.side is side and ours and evidence.same(pair, moment.value, shown.value):
            common = True  # the status that an item of Tandem's making began in: nobody had chosen it
        elif moment.edit is None and not moment.first:
            carried = _carried(evidence, pair, before[:number], moment)
            common = common if carried is None else evidence.same(pair, carried[side], shown.value)
    return common


def taken_away(evidence: Evidence, pair: FieldPair, value: Json) -> bool:
    """Tell whether the vendor itself took away what a side showed: a parent that a person deleted."""
    return pair.kind is FieldKind.PARENT and any(entity == value for _, entity in evidence.people.deleted)


def never_seen_to_leave(evidence: Evidence, link: Link, pair: FieldPair, shown: Moment, until_s: float) -> bool:
    """Tell whether Tandem saw nothing but this value on a side from when it showed it on until a time."""
    seen = evidence.witness.seen((link.id, shown.side, pair.id), shown.at_s, until_s)
    return all(evidence.same(pair, value, shown.value) for value in seen)


def _had_been_common(
    evidence: Evidence, link: Link, pair: FieldPair, history: list[Moment], mine: Moment, agreed_s: float
) -> bool:
    """Tell whether the other side had shown the same, and Tandem had not heard yet that it had moved on from there.

    Then both are taken for equal, and the other side to have moved on after that: values are compared, not times.
    """
    theirs = [moment for moment in history if moment.side is not mine.side]
    told = list(evidence.witness.seen((link.id, mine.side.other, pair.id), 0.0, agreed_s - 1e-6))
    for number, (moment, left) in enumerate(pairwise(theirs), start=1):
        shown = {mine.side: mine.value, moment.side: moment.value}
        if not evidence.equivalent(pair, shown[Side.JIRA], shown[Side.CRAFT]) or left.at_s > agreed_s:
            continue
        later = [each.value for each in theirs if each.at_s >= left.at_s and each is not moment]
        heard = evidence.witness.seen((link.id, moment.side, pair.id), left.at_s, agreed_s - 1e-6)
        if not any(evidence.same(pair, one, other) for one in heard for other in later):
            return True
        if _in_order(evidence, pair, told, [each.value for each in theirs[:number]]):
            return True  # what was heard is older than that, also where the same value came again later
    return False


def _in_order(evidence: Evidence, pair: FieldPair, told: Iterable[Json], shown: Iterable[Json]) -> bool:
    """Tell whether all that was heard of a side are values that it came to show one after the other."""
    left = iter(shown)
    return all(any(evidence.same(pair, one, each) for each in left) for one in told)


def _carried(evidence: Evidence, pair: FieldPair, before: list[Moment], write: Moment) -> dict[Side, Json] | None:
    """Return what a write carried over although its source had moved on: the source's latest value that it can be."""
    for earlier in reversed(before):
        if earlier.side is write.side:
            continue
        shown = {earlier.side: earlier.value, write.side: write.value}
        if evidence.equivalent(pair, shown[Side.JIRA], shown[Side.CRAFT]):
            return shown
    return None
