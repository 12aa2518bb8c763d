"""Every state with every cause has a sentence, and a next step unless it gets in step in a moment: the table, walked
whole.
"""

from __future__ import annotations

import ast
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from services.mapper.domain import reasons
from services.mapper.domain.sentences import NEXT_STEPS, SENTENCES, next_step
from services.mapper.domain.status import describe
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import PUT_OFF, Blocked, ConflictNote, LinkState, Trouble
from shared.domain.mapping import Policy
from shared.messages.status import Cause, DisplayState, SyncStatus
from tests.patterns import technical
from tests.unit.mapper.harness import TITLE, World

_MOVING = {LinkState.ACTIVE, LinkState.CREATING}
_AT_REST = sorted(set(LinkState) - _MOVING)


def understood(status: SyncStatus, *, stays: bool = True) -> None:
    """Assert that people are told what is wrong and what to do."""
    for words in (status.message, *(problem.message for problem in status.problems)):
        assert words.strip(), status
        assert not technical(words), words
    for step in (status.next_step, *(problem.next_step for problem in status.problems)):
        assert step or not stays, status
        assert not technical(step or ""), step


@pytest.mark.parametrize(("state", "cause"), list(product(_AT_REST, Cause)))
def test_every_state_and_cause_says_what_is_wrong_and_what_to_do(state: LinkState, cause: Cause) -> None:
    for words, there, origin in product((None, "It is so."), ("12", "1-", "-2"), Side):
        world = World()
        link = world.link
        link.enter(state, cause, words)
        link.jira_id, link.craft_id = (None if sign == "-" else EntityId(sign) for sign in there)
        link.origin = origin
        link.again_at = world.now + timedelta(hours=1) if state is LinkState.EXCLUDED else None
        status = describe(link, world.ctx)
        assert status.state == DisplayState(state.value)
        understood(status)


def test_what_is_over_points_at_what_goes_on() -> None:
    world = World()
    world.link.enter(LinkState.GONE, Cause.MOVED_ON)
    world.link.successors = {Side.JIRA: LinkId("m")}
    understood(describe(world.link, world.ctx))


@pytest.mark.parametrize(("cause", "side"), list(product(Cause, Side)))
def test_every_cause_at_a_field_says_what_to_do(cause: Cause, side: Side) -> None:
    world = World()
    blocked = Blocked("h", cause, "This value cannot be carried over.", "Title", world.now + timedelta(minutes=1))
    world.link.side(side).pair(TITLE).blocked = blocked
    status = describe(world.link, world.ctx)
    assert status.state is (DisplayState.CONFLICT if cause is Cause.CONFLICT else DisplayState.BLOCKED)
    understood(status)


def test_a_conflict_says_what_to_do() -> None:
    world = World()
    note = ConflictNote(TITLE, "a", "b", Policy.ASK, None, world.now)
    world.link.open_conflicts[TITLE] = note
    status = describe(world.link, world.ctx)
    assert status.state is DisplayState.CONFLICT
    understood(status)


@pytest.mark.parametrize("state", sorted(_MOVING))
@pytest.mark.parametrize("about", ["put_off", "dirty", "nothing"])
@pytest.mark.parametrize("troubled", [False, True])
def test_what_moves_by_itself_says_why_once_it_takes_long(state: LinkState, about: str, *, troubled: bool) -> None:
    world = World()
    link = world.link
    link.state = state
    if about == "put_off":
        link.not_before = world.now + timedelta(minutes=5)
    elif about == "dirty":
        link.jira.have_read(world.now)
    if troubled and about != "nothing":
        key = PUT_OFF if about == "put_off" else str(Side.JIRA)
        link.troubles[key] = Trouble("Jira answered 503", world.now)
    status = describe(link, world.ctx)
    understood(status, stays=troubled and about != "nothing")
    assert ("503" in status.message) == (troubled and about != "nothing")


_OF_THE_MACHINE = ("effect", "write of", "our ", "restor", "landed", "policy", "generation", "ledger", "entry")


@pytest.mark.parametrize("reason", reasons.ALL)
def test_the_history_and_settled_conflicts_speak_to_people(reason: str) -> None:
    assert not technical(reason)
    assert not [each for each in _OF_THE_MACHINE if each in reason]
    assert reason[0].islower() or reason.startswith(("Jira", "Craft.io"))
    assert not reason.endswith(".")


def test_every_reason_on_record_comes_from_the_table() -> None:
    """What stands as a literal where values are put on record would escape the test above."""
    found = []
    for path in sorted(Path(reasons.__file__).parent.glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            given = [*call.args, *(each.value for each in call.keywords)]
            literal = any(isinstance(each, ast.JoinedStr | ast.Constant) for each in given)
            if name in {"remember", "replaces", "keep_beside", "settle_conflict", "_put_on_record"} and literal:
                found.append(f"{path.name}:{call.lineno}")
    assert found == []


def test_the_tables_are_whole_and_have_no_placeholder() -> None:
    assert set(SENTENCES) == set(LinkState)
    for words in (*SENTENCES.values(), *NEXT_STEPS.values()):
        assert words.endswith(".")
        assert not technical(words)
    world = World()
    for state, cause in product(_AT_REST, Cause):
        world.link.enter(state, cause)
        assert next_step(world.link, cause)
