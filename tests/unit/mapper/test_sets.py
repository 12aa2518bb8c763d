"""Sets are merged element by element: what one side added or removed is carried, all else stays where it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mapper.domain.status import describe
from shared.domain.ids import Side
from shared.domain.link import Agreed, ConflictNote
from shared.domain.mapping import Direction, Policy
from shared.messages.status import Cause, DisplayState
from tests.unit.mapper.harness import START, TITLE
from tests.unit.mapper.set_world import SetWorld, labels, options

KEPT_BACK: dict[str, Any] = {"to_craft": "value.filter(x, !x.startsWith('triage'))", "to_jira": "value"}


@pytest.mark.parametrize("policy", list(Policy))
def test_adding_one_leaves_the_words_of_all_others_as_people_wrote_them(policy: Policy) -> None:
    world = SetWorld.of(labels(), policy, jira=["Needs_design"], craft=["Needs design"])
    world.add(Side.JIRA, "beta")
    world.settle()
    assert world.both == (["Needs_design", "beta"], ["Needs design", "beta"])


def test_removing_one_removes_what_the_other_side_calls_it() -> None:
    world = SetWorld.of(labels(), jira=["Needs_design", "api"], craft=["Needs design", "api"])
    world.remove(Side.JIRA, "Needs_design")
    world.settle()
    assert world.both == (["api"], ["api"])


def test_what_the_mapping_holds_back_stays_when_the_other_side_adds_one() -> None:
    world = SetWorld.of(labels(**KEPT_BACK), jira=["api", "triage-done"], craft=["api"])
    world.add(Side.CRAFT, "beta")
    world.settle()
    assert world.both == (["api", "beta", "triage-done"], ["api", "beta"])
    assert describe(world.link, world.ctx).state is DisplayState.IN_SYNC


@pytest.mark.parametrize("policy", list(Policy))
def test_what_both_sides_add_at_once_is_on_both_without_a_conflict(policy: Policy) -> None:
    world = SetWorld.of(labels(), policy, jira=["a"], craft=["a"])
    events = [world.edit(Side.JIRA, ["a", "j"]), world.edit(Side.CRAFT, ["a", "c"])]
    for event in events:
        world.deliver(event)
    world.settle()
    assert world.both == (["a", "c", "j"], ["a", "c", "j"])
    assert not world.link.open_conflicts
    assert not world.link.new_conflicts


def test_what_one_side_removes_while_the_other_adds_is_removed_and_added() -> None:
    world = SetWorld.of(labels(), jira=["a", "b"], craft=["a", "b"])
    events = [world.edit(Side.JIRA, ["a"]), world.edit(Side.CRAFT, ["a", "b", "c"])]
    for event in events:
        world.deliver(event)
    world.settle()
    assert world.both == (["a", "c"], ["a", "c"])


def test_items_that_are_joined_hold_all_of_both_afterwards() -> None:
    world = SetWorld.of(labels(), jira=["a", "j"], craft=["a", "c"], agreed=False)
    world.settle()
    assert world.both == (["a", "c", "j"], ["a", "c", "j"])


@pytest.mark.parametrize("jira", ["components", "customfield_7"])
def test_what_has_no_counterpart_stays_and_says_so_while_all_else_goes_on(jira: str) -> None:
    world = SetWorld.of(options(("1", "11"), ("2", "12"), jira=jira), jira=["1"], craft=["11"])
    world.add(Side.JIRA, "2", "3")
    world.settle()
    assert world.both == (["1", "2", "3"], ["11", "12"])
    (problem,) = describe(world.link, world.ctx).problems
    assert problem.cause is Cause.VALUE_NOT_MAPPED
    assert "The value 3 of Jira's" in problem.message
    world.remove(Side.CRAFT, "11")
    world.settle()
    assert world.both == (["2", "3"], ["12"])


def test_what_gets_its_counterpart_later_follows_by_itself() -> None:
    world = SetWorld.of(options(("1", "11")), jira=["1"], craft=["11"])
    world.add(Side.JIRA, "2")
    world.settle()
    world.remap(options(("1", "11"), ("2", "12")))
    world.settle()
    assert world.both == (["1", "2"], ["11", "12"])
    assert not describe(world.link, world.ctx).problems


def test_another_counterpart_takes_the_place_of_the_old_one() -> None:
    world = SetWorld.of(options(("1", "11"), ("2", "12")), jira=["1", "2"], craft=["11", "12", "own"])
    world.link.craft.pair(TITLE).base = Agreed(["11", "12"], 1)
    world.remap(options(("1", "13"), ("2", "12")))
    world.settle()
    assert world.both == (["1", "2"], ["12", "13", "own"])


def test_two_options_that_stand_for_one_are_removed_with_it_and_not_before() -> None:
    world = SetWorld.of(options(("a", "X"), ("b", "X")), jira=["a", "b"], craft=["X"])
    world.remove(Side.JIRA, "a")
    world.settle()
    assert world.both == (["b"], ["X"])
    world.remove(Side.CRAFT, "X")
    world.settle()
    assert world.both == ([], [])


def test_a_choice_between_two_that_mean_the_same_is_left_as_it_is() -> None:
    world = SetWorld.of(options(("1", "11"), ("1", "12"), ("2", "22")), jira=["1"], craft=["12"])
    world.add(Side.JIRA, "2")
    world.settle()
    assert world.both == (["1", "2"], ["12", "22"])


def test_one_way_only_what_the_leading_side_adds_and_removes_is_carried() -> None:
    world = SetWorld.of(labels(Direction.TO_CRAFT), jira=["a"], craft=["a"])
    world.add(Side.CRAFT, "own")
    world.remove(Side.CRAFT, "a")
    world.add(Side.JIRA, "b")
    world.settle()
    assert world.both == (["a", "b"], ["b", "own"])
    world.remove(Side.JIRA, "b")
    world.settle()
    assert world.both == (["a"], ["own"])


@pytest.mark.parametrize("side", list(Side))
def test_what_somebody_adds_in_the_moment_of_a_write_survives_it(side: Side) -> None:
    world = SetWorld.of(labels(), jira=["a"], craft=["a"])
    world.add(side, "b")
    op = world.link.open_operation
    assert op is not None
    world.tick()
    world.edit(side.other, ["a", "mine"])  # nobody has told of it yet
    if op.target is Side.JIRA:
        op.attempts += 1
        world.land(op)  # without a look: only what changes is sent
    world.settle()
    for each in Side:
        world.fresh_read(each)
    world.settle()
    assert world.both == (["a", "b", "mine"], ["a", "b", "mine"])


def test_what_a_write_took_along_in_a_field_that_is_written_whole_comes_back() -> None:
    world = SetWorld.of(options(("1", "11"), ("2", "12"), ("3", "13"), jira="customfield_7"), jira=["1"], craft=["11"])
    world.add(Side.CRAFT, "12")
    op = world.link.open_operation
    assert op is not None
    assert op.target is Side.JIRA
    world.tick()
    world.edit(Side.JIRA, ["1", "3"])
    world.tick()
    op.attempts += 1
    world.land(op)
    world.settle()
    assert world.both == (["1", "2", "3"], ["11", "12", "13"])


def test_a_late_write_resurrects_nothing_and_takes_nothing_along() -> None:
    world = SetWorld.of(labels(), jira=["a"], craft=["a"])
    world.add(Side.JIRA, "b")
    op = world.link.open_operation
    assert op is not None
    op.attempts = 2  # the first request hangs
    world.perform(op)
    world.remove(Side.JIRA, "b")
    world.settle()
    world.add(Side.CRAFT, "own")
    world.settle()
    world.tick()
    world.land(op)  # the hanging one: the whole list of then
    world.fresh_read(Side.CRAFT)
    world.settle()
    assert world.both == (["a", "own"], ["a", "own"])


def test_a_conflict_of_a_time_before_sets_were_merged_ends_by_itself() -> None:
    world = SetWorld.of(labels(), jira=["a", "j"], craft=["a", "c"])
    for side in Side:
        record = world.link.side(side).pair(TITLE)
        record.base = None
    world.link.open_conflicts[TITLE] = ConflictNote(TITLE, ["a", "j"], ["a", "c"], "ask", None, START)
    world.settle()
    assert world.both == (["a", "c", "j"], ["a", "c", "j"])
    assert not world.link.open_conflicts


PAIRS = {
    "labels": (labels(), ("a", "b", "Needs_design", "c"), ("a", "b", "Needs design", "d e")),
    "labels, some held back": (labels(**KEPT_BACK), ("a", "triage", "b"), ("a", "b", "c")),
    "options, some without counterpart": (options(("1", "11"), ("2", "12")), ("1", "2", "3"), ("11", "12", "13")),
    "options, written whole": (
        options(("1", "11"), ("2", "12"), ("3", None), jira="customfield_7"),
        ("1", "2", "3"),
        ("11", "12", "13"),
    ),
}
EDITS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(list(Side)), st.integers(0, 3)),
        st.tuples(st.just("deliver"), st.sampled_from(list(Side)), st.integers(0, 1_000)),
        st.tuples(st.just("perform"), st.just(Side.JIRA), st.just(0)),
        st.tuples(st.just("fresh"), st.sampled_from(list(Side)), st.just(0)),
        st.tuples(st.just("tick"), st.just(Side.JIRA), st.just(0)),
    ),
    max_size=30,
)


def play(world: SetWorld, steps: list[tuple[str, Side, int]], words: dict[Side, tuple[str, ...]]) -> int:
    """Carry out random steps; return how many edits people made."""
    edits = 0
    for what, side, number in steps:
        element = words[side][number % len(words[side])]
        held = set(world.holds[side])
        if what == "add" and element not in held:
            world.tick()
            world.edit(side, sorted(held | {element}))
            edits += 1
        elif what == "remove" and element in held:
            world.tick()
            world.edit(side, sorted(held - {element}))
            edits += 1
        elif what == "deliver" and world.seen:
            world.deliver(world.seen[number % len(world.seen)])
        elif what == "perform" and world.link.open_operation is not None:
            world.perform(world.link.open_operation)
            world.tick(0.001)
        elif what == "fresh":
            world.fresh_read(side)
        elif what == "tick":
            world.tick()
    for side in Side:
        world.fresh_read(side)
    world.settle(60)
    return edits


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("policy", [Policy.ASK, Policy.JIRA])
@given(steps=EDITS)
@settings(max_examples=60, deadline=None)
def test_sets_come_to_rest_without_a_conflict(case: str, policy: Policy, steps: list[tuple[str, Side, int]]) -> None:
    pair, *words = PAIRS[case]
    world = SetWorld.of(pair, policy)
    edits = play(world, steps, dict(zip((Side.JIRA, Side.CRAFT), words, strict=True)))
    assert world.writes <= 2 * edits + 1
    assert not world.link.new_conflicts
    before, held = world.writes, dict(world.holds)
    world.tick(3600)
    for event in [*world.seen, *reversed(world.seen)]:
        world.deliver(event)
    world.settle()
    assert (world.writes, world.holds) == (before, held)


@pytest.mark.parametrize("case", PAIRS)
@given(started=st.data(), steps=EDITS)
@settings(max_examples=80, deadline=None)
def test_no_element_that_only_its_own_side_knows_ever_goes(
    case: str, started: Any, steps: list[tuple[str, Side, int]]
) -> None:
    pair, *words = PAIRS[case]
    own = {Side.JIRA: "99" if pair.kind == "options" else "triage-own", Side.CRAFT: "99"}
    sides = [side for side in Side if pair.kind == "options" or (side is Side.JIRA and pair.to_craft)]
    first = {side: [own[side]] if side in sides else [] for side in Side}
    world = SetWorld.of(pair, jira=first[Side.JIRA], craft=first[Side.CRAFT], agreed=started.draw(st.booleans()))
    play(world, steps, dict(zip((Side.JIRA, Side.CRAFT), words, strict=True)))
    for side in sides:
        assert own[side] in world.holds[side]
