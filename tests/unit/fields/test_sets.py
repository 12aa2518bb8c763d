"""Merging two sets with what they last agreed on (`shared.fields.sets`): the laws, on any sets and any ways over."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.ids import Side
from shared.domain.link import PairWrite
from shared.fields.sets import Crosswalk, Merge, edited, merge_sets, put_right

WORDS = st.frozensets(st.sampled_from("abcdef"))
IMAGES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("uvwxyz"))
Sets = Mapping[Side, frozenset[str]]


def same_words(_: Side, element: str) -> frozenset[str]:
    return frozenset({element})


def by_map(table: Mapping[str, str]) -> Crosswalk[str]:
    """Return the crosswalk of a value map from Jira's words to Craft.io's; the first entry is the way back."""

    def ask(side: Side, element: str) -> frozenset[str] | str:
        if side is Side.JIRA:
            return frozenset({table[element]}) if element in table else "not mapped"
        back = [jira for jira, craft in table.items() if craft == element][:1]
        return frozenset(back) if back else "not mapped"

    return Crosswalk(ask)


def rest(walk: Crosswalk[str], shown: Sets, bases: Sets, leader: Side | None = None) -> tuple[Sets, Sets]:
    """Carry one way after the other until nothing is left, as the mapper does; return what is shown and the bases."""
    for _ in range(12):
        found: Merge[str] = merge_sets(walk, shown, bases, list(Side), leader)
        if not found.reread:
            bases = found.agreed
            leader = None
        way = next(((side, way) for side, way in found.ways.items() if way.add or way.remove), None)
        if way is None:
            return shown, bases
        source, carried = way
        target = source.other
        shown = {**shown, target: (shown[target] | carried.add) - carried.remove}
        known = (bases[target] | carried.add) - carried.remove
        bases, leader = {source: carried.source, target: known}, None
    raise AssertionError("never at rest")


@given(WORDS, WORDS, WORDS)
@settings(deadline=None)
def test_of_the_same_words_each_side_holds_what_neither_removed_and_what_either_added(
    base: frozenset[str], jira: frozenset[str], craft: frozenset[str]
) -> None:
    shown, bases = rest(Crosswalk(same_words), {Side.JIRA: jira, Side.CRAFT: craft}, dict.fromkeys(Side, base))
    wanted = (base & jira & craft) | (jira - base) | (craft - base)
    assert set(shown.values()) == {wanted}
    assert bases == shown


@given(IMAGES, WORDS, st.frozensets(st.sampled_from("uvwxyz")), st.data())
@settings(max_examples=300, deadline=None)
def test_by_any_value_map_it_comes_to_rest_and_what_has_no_counterpart_stays(
    table: Mapping[str, str], jira: frozenset[str], craft: frozenset[str], data: st.DataObject
) -> None:
    walk = by_map(table)
    shown = {Side.JIRA: jira, Side.CRAFT: craft}
    joined, agreed = rest(walk, shown, dict.fromkeys(Side, frozenset()))
    assert jira <= joined[Side.JIRA]
    assert craft <= joined[Side.CRAFT]
    edited_later = {side: data.draw(st.frozensets(st.sampled_from(sorted({*joined[side], "a", "u"})))) for side in Side}
    after, _ = rest(walk, edited_later, agreed)
    for side in Side:
        own = {each for each in edited_later[side] if not walk.images(side, each)}
        alone = {each for each in own if not walk.partners(side, each, joined[side.other] | edited_later[side.other])}
        assert alone <= after[side]
        gone = agreed[side] - edited_later[side]
        assert not {each for each in gone & after[side] if not walk.partners(side, each, edited_later[side.other])}


@given(IMAGES, IMAGES, WORDS)
@settings(max_examples=300, deadline=None)
def test_another_value_map_comes_to_rest_and_takes_nothing_from_the_side_that_leads(
    before: Mapping[str, str], after: Mapping[str, str], jira: frozenset[str]
) -> None:
    shown, bases = rest(by_map(before), {Side.JIRA: jira, Side.CRAFT: frozenset()}, dict.fromkeys(Side, frozenset()))
    moved, _ = rest(by_map(after), shown, bases, leader=Side.JIRA)
    assert jira <= moved[Side.JIRA]
    assert {after[each] for each in jira if each in after} <= moved[Side.CRAFT]


@given(WORDS, WORDS, WORDS)
@settings(deadline=None)
def test_what_a_write_did_not_expect_survives_it(
    value: frozenset[str], expect: frozenset[str], held: frozenset[str]
) -> None:
    write = PairWrite(sorted(value), sorted(expect), [])
    wanted = set(edited(sorted(held), write))
    assert held - expect <= wanted | (expect - value)
    assert value - expect <= wanted
    assert not (expect - value) & wanted
    assert put_right(sorted(expect), write) is None
