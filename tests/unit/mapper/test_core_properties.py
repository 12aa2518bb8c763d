"""Laws of the sync core over any interleaving of edits, events and writes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.mapper.domain.apply import apply
from services.mapper.domain.decide import decide
from shared.domain.ids import Side
from shared.domain.mapping import Policy
from tests.unit.mapper.harness import TITLE, World, title_integration

SIDES = st.sampled_from(list(Side))
POLICIES = st.sampled_from(list(Policy))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), SIDES),
        st.tuples(st.just("deliver"), st.integers(0, 1_000)),
        st.tuples(st.just("perform"), st.none()),
        st.tuples(st.just("tick"), st.none()),
        st.tuples(st.just("fresh"), SIDES),
    ),
    max_size=25,
)
WITH_LATE = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), SIDES),
        st.tuples(st.just("deliver"), st.integers(0, 1_000)),
        st.tuples(st.just("perform"), st.none()),
        st.tuples(st.just("tick"), st.none()),
        st.tuples(st.just("fresh"), SIDES),
        st.tuples(st.just("land"), st.none()),
        st.tuples(st.just("late"), st.integers(0, 1_000)),
    ),
    max_size=25,
)


def play(world: World, steps: list[tuple[str, object]]) -> list[tuple[Side, str]]:
    """Carry out random steps and return the edits that people made."""
    edits: list[tuple[Side, str]] = []
    for what, argument in steps:
        if what == "edit":
            assert isinstance(argument, Side)
            world.edit(argument, str(len(edits) + 1))
            edits.append((argument, str(len(edits) + 1)))
        elif what == "deliver" and world.seen:
            assert isinstance(argument, int)
            world.deliver(world.seen[argument % len(world.seen)])
        elif what == "perform" and world.link.open_operation is not None:
            world.perform(world.link.open_operation)
        elif what == "tick":
            world.tick()
        elif what == "land" and world.link.open_operation is not None:  # the answer is lost
            world.link.open_operation.attempts += 1
            if world.holds[world.link.open_operation.target] == world.link.open_operation.pairs[TITLE].expect:
                world.land(world.link.open_operation)
        elif what == "late" and world.link.operations:  # a request of an earlier attempt takes effect only now
            assert isinstance(argument, int)
            op = world.link.operations[argument % len(world.link.operations)]
            if TITLE in op.pairs:  # else the title was set by others, and no request of this operation did anything
                op.attempts += 1
                world.land(op)
        elif what == "fresh":
            assert isinstance(argument, Side)
            world.fresh_read(argument)
    return edits


@given(POLICIES, WITH_LATE)
@settings(max_examples=400)
def test_after_quiet_both_sides_agree_or_a_conflict_says_who_must_choose(
    policy: Policy, steps: list[tuple[str, object]]
) -> None:
    world = World(title_integration(policy))
    play(world, steps)
    for side in Side:  # the sweep
        world.fresh_read(side)
    world.settle()
    assert world.holds[Side.JIRA] == world.holds[Side.CRAFT] or world.link.open_conflicts


@given(POLICIES, WITH_LATE)
@settings(max_examples=400)
def test_after_quiet_every_event_may_come_again_without_a_write(
    policy: Policy, steps: list[tuple[str, object]]
) -> None:
    world = World(title_integration(policy))
    play(world, steps)
    for side in Side:
        world.fresh_read(side)
    world.settle()
    world.tick(3600)
    before, held = world.writes, dict(world.holds)
    for event in [*world.seen, *reversed(world.seen)]:
        world.deliver(event)
    world.settle()
    assert (world.writes, world.holds) == (before, held)


@given(POLICIES, STEPS)
@settings(max_examples=400)
def test_the_last_edit_of_each_side_is_never_silently_gone(policy: Policy, steps: list[tuple[str, object]]) -> None:
    world = World(title_integration(policy))
    edits = play(world, steps)
    for side in Side:
        world.fresh_read(side)
    world.settle()
    last = dict(edits)
    for side, value in last.items():
        later = edits.index((side, value)) < len(edits) - 1
        if not later:
            assert value in world.kept, (side, value, world.link)


@given(POLICIES, STEPS)
@settings(max_examples=200)
def test_decide_twice_without_new_input_decides_nothing_more(policy: Policy, steps: list[tuple[str, object]]) -> None:
    world = World(title_integration(policy))
    play(world, steps)
    apply(world.link, decide(world.link, world.ctx), world.ctx)
    again = decide(world.link, world.ctx)
    assert again.target is None
    assert not again.bases
    assert not again.conflicts or world.link.open_conflicts
