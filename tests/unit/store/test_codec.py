"""The laws of `shared.store.codec` and of the copies of the store in memory: exact, complete, nothing shared."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.ids import ConnectionId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import (
    Absent,
    Agreed,
    Blocked,
    Candidate,
    Carried,
    ConflictNote,
    Held,
    HistoryNote,
    Link,
    LinkState,
    Normalised,
    Operation,
    Oversize,
    Overwritten,
    PairSide,
    PairWrite,
    Refused,
    Result,
    SideState,
    Span,
    Trouble,
)
from shared.store import codec
from shared.store.memory.copies import copy_conflict, copy_history, copy_link, copy_operation

texts = st.sampled_from(["", "a", "\x00", "\ud800", "é", "\U0001f600", "null"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=3,
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=zones).map(lambda at: at.replace(fold=0))  # noqa: DTZ001  # with `timezones`


def drawn(kind: type[Any], **own: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return records with every property drawn: `builds` alone leaves those out that have a default."""
    optional = {f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING}
    assert optional <= set(own), f"draw {sorted(optional - set(own))} of {kind.__name__} too"
    return st.builds(kind, **own)


st.register_type_strategy(datetime, times)
st.register_type_strategy(str, texts)
later = st.dictionaries(texts.map(lambda name: f"later {name}"), values, max_size=1)
helds = drawn(
    Held,
    value=values,
    after=st.none() | times,
    exact=st.booleans(),
    changed_at=st.none() | times,
    late=st.booleans(),
    entry=st.none() | texts,
    against=st.none() | texts,
    perhaps=st.none() | texts,
)
held_pairs = drawn(
    PairSide,
    seen=st.none() | helds,
    base=st.none() | st.builds(Agreed, value=values),
    overwritten=st.none()
    | st.builds(
        Overwritten,
        value=values,
        late=st.booleans(),
        edited=st.none() | st.builds(Span, after=st.none() | times, exact=st.booleans()),
    ),
    blocked=st.none()
    | st.builds(Blocked, field=st.none() | texts, again_at=st.none() | times, next_step=st.none() | texts),
    refused=st.none() | st.builds(Refused),
    norm=st.none() | st.builds(Normalised, wrote=values, shows=values, times=st.integers(1, 3)),
    recent=st.lists(values, max_size=3),
    takes_first=st.booleans(),
    heard_at=st.none() | times,
    oversize=st.none() | st.builds(Oversize, at=st.none() | times, size=st.none() | st.integers(0)),
    names=st.dictionaries(texts, texts, max_size=2),
    more=later,
)
sides = drawn(
    SideState,
    mark=st.integers(0),
    dirty_since=st.none() | times,
    read_whole=st.booleans(),
    labelled_at=st.none() | times,
    candidates=st.dictionaries(
        texts, st.lists(st.builds(Candidate, value=values, by=st.none() | texts), max_size=2), max_size=2
    ),
    changelog_cursor=st.none() | texts,
    absent=st.none() | st.builds(Absent),
    told_deleted=st.booleans(),
    pairs=st.dictionaries(texts, held_pairs, max_size=3),
    more=later,
)
conflicts = drawn(ConflictNote, jira_value=values, craft_value=values, kept=st.none() | st.sampled_from(list(Side)))
links = drawn(
    Link,
    jira_id=st.none() | texts,
    craft_id=st.none() | texts,
    reason=st.none() | texts,
    reason_text=st.none() | texts,
    op_id=st.none() | texts,
    next_seq=st.integers(1),
    not_before=st.none() | times,
    refused=st.none() | st.builds(Refused),
    again_at=st.none() | times,
    troubles=st.dictionaries(texts, st.builds(Trouble), max_size=2),
    waits_for=st.none() | texts,
    revision_seen=st.integers(0),
    recent_writes=st.lists(times, max_size=3),
    tripped=st.lists(times, max_size=3),
    used_requests=st.lists(texts, max_size=3),
    carried=st.none() | st.builds(Carried),
    labels=st.dictionaries(texts, texts, max_size=3),
    asked=st.booleans(),
    held_since=st.none() | times,
    successors=st.dictionaries(st.sampled_from(list(Side)), texts, max_size=2),
    predecessors=st.lists(texts, max_size=2),
    jira=sides,
    craft=sides,
    open_conflicts=st.dictionaries(texts, conflicts, max_size=2),
    more=later,
    operations=st.just([]),
    new_conflicts=st.just([]),
    new_history=st.just([]),
)
operations = drawn(
    Operation,
    pairs=st.dictionaries(texts, st.builds(PairWrite, value=values, expect=values, source=values), max_size=3),
    type_id=st.none() | texts,
    open=st.booleans(),
    result=st.none() | st.sampled_from(list(Result)),
    attempts=st.integers(0),
    more=later,
    lease_until=st.none() | times,
    owner=st.none() | texts,
    post_started_at=st.none() | times,
    result_id=st.none() | texts,
    read_at=st.none() | times,
    write_at=st.none() | times,
    shown=st.dictionaries(texts, values, max_size=2),
    landed=st.booleans(),
    noted=st.frozensets(texts, max_size=2),
    unmet=st.frozensets(texts, max_size=2),
    unclear=st.booleans(),
    accepted_at=st.none() | times,
    done_at=st.none() | times,
)


few = settings(max_examples=50)
"""Each example is a whole record with every property; more of them find nothing more."""


def through_text(doc: Any) -> Any:
    return codec.loads(codec.dumps(doc))


def exactly(thing: Any) -> str:
    """Return all of a record as text, types and the order of keys too; not the order of a set, which it does not have.

    `==` takes 1 for True and 0.0 for -0.0, and `repr` shows a set in the order of this process's hashes.
    """
    match thing:
        case frozenset():
            return f"{{{', '.join(sorted(exactly(part) for part in thing))}}}"
        case dict():
            return f"{{{', '.join(f'{exactly(key)}: {exactly(part)}' for key, part in thing.items())}}}"
        case list() | tuple():
            return f"{type(thing).__name__}[{', '.join(exactly(part) for part in thing)}]"
        case _ if hasattr(thing, "__dataclass_fields__"):
            parts = (f"{name}={exactly(getattr(thing, name))}" for name in thing.__dataclass_fields__)
            return f"{type(thing).__name__}({', '.join(parts)})"
        case _:
            return f"{type(thing).__name__} {thing!r}"


def test_exactly_tells_apart_what_equality_does_not_and_knows_no_order_of_a_set() -> None:
    assert len({exactly(each) for each in (1, True, 1.0, 0.0, -0.0, "1", [1], (1,), {"a": 1, "b": 2})}) == 9
    assert exactly({"b": 2, "a": 1}) != exactly({"a": 1, "b": 2})
    assert (
        exactly(frozenset("abcdef"))
        == exactly(frozenset("fedcba"))
        == "{str 'a', str 'b', str 'c', str 'd', " + ("str 'e', str 'f'}")
    )


@few
@given(links)
def test_a_link_comes_back_exactly(link: Link) -> None:
    assert exactly(codec.link_from_json(through_text(codec.link_to_json(link)))) == exactly(link)


@few
@given(operations)
def test_an_operation_comes_back_exactly(op: Operation) -> None:
    assert exactly(codec.operation_from_json(through_text(codec.operation_to_json(op)))) == exactly(op)


@few
@given(conflicts)
def test_a_conflict_comes_back_exactly(note: ConflictNote) -> None:
    assert exactly(codec.conflict_from_json(through_text(codec.conflict_to_json(note)))) == exactly(note)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        codec.dumps(number)


@few
@given(operations)
def test_the_hash_of_values_does_not_depend_on_their_order(op: Operation) -> None:
    same = copy_operation(op)
    same.pairs = dict(reversed(op.pairs.items()))
    same.id = OperationId("another")
    assert codec.values_hash(same) == codec.values_hash(op)


@few
@given(links)
def test_a_copy_of_a_link_is_equal_and_shares_nothing_that_can_change(link: Link) -> None:
    copied = copy_link(link)
    assert exactly(copied) == exactly(link)
    assert not mutable_ids(copied) & mutable_ids(link)


@few
@given(operations)
def test_a_copy_of_an_operation_is_equal_and_shares_nothing_that_can_change(op: Operation) -> None:
    copied = copy_operation(op)
    assert exactly(copied) == exactly(op)
    assert not mutable_ids(copied) & mutable_ids(op)


@few
@given(conflicts, st.builds(HistoryNote, value=values))
def test_a_copy_of_a_note_is_equal_and_shares_nothing_that_can_change(
    conflict: ConflictNote, note: HistoryNote
) -> None:
    assert exactly((copy_conflict(conflict), copy_history(note))) == exactly((conflict, note))
    assert not mutable_ids(copy_conflict(conflict)) & mutable_ids(conflict)
    assert not mutable_ids(copy_history(note)) & mutable_ids(note)


def mutable_ids(thing: Any) -> set[int]:
    """Return the identities of all that can be changed in place within a record."""
    found: set[int] = set()
    match thing:
        case dict():
            found = {id(thing)}.union(*(mutable_ids(part) for part in thing.values()))
        case list():
            found = {id(thing)}.union(*(mutable_ids(part) for part in thing))
        case _ if hasattr(thing, "__dataclass_fields__"):
            own = set() if type(thing).__dataclass_params__.frozen else {id(thing)}
            found = own.union(*(mutable_ids(getattr(thing, name)) for name in thing.__dataclass_fields__))
    return found


def test_a_row_of_before_items_were_held_counts_as_asked_for() -> None:
    doc = codec.link_to_json(
        Link(
            LinkId("l"),
            IntegrationId("i"),
            ConnectionId("j"),
            ConnectionId("c"),
            Side.JIRA,
            LinkState.CREATING,
            datetime(2026, 1, 5, tzinfo=UTC),
        )
    )
    for name in ("asked", "held_since", "successors", "predecessors"):
        del doc[name]
    for side in ("jira", "craft"):
        del doc[side]["absent"], doc[side]["told_deleted"]
    link = codec.link_from_json(doc)
    assert (link.asked, link.held_since, link.successors, link.jira.absent) == (True, None, {}, None)
